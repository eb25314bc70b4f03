#pragma once

/* What event_log.c and event_tail.c share.
 * Private to store/. */

#include "store/event_log.h"

struct rows;

/* The columns of an entry, in the order of event_log_read_entry(). */
#define EVENT_LOG_COLUMNS                                                                \
    "e.org_id, e.seq, e.event_id, e.type, e.customer_id, e.subscription_id, e.payload, " \
    "e.created_at, e.request_id"
#define EVENT_LOG_COLUMN_COUNT 9

struct event_log_entry
event_log_read_entry(struct ctx *cx, const struct rows *rows, size_t row, int first_column);
