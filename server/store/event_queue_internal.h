#pragma once

/* The events that a transaction has queued with event_log_add(), until its commit appends them.
 * They live in the arena of the ctx that queued them. */

#include "base/status.h"

struct ctx;
struct tx;

/* Appends what was queued; the statement goes out with the COMMIT that follows. */
struct status event_queue_append(struct ctx *cx, struct tx *tx) MUST_CHECK;

/* After that COMMIT: tells the observer of the database. */
void event_queue_committed(struct tx *tx);
