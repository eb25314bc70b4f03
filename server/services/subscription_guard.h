#pragma once

/* What stands before every change of a subscription: it is there, as the caller knows it, nobody
 * else is changing it, and it is in a state that allows it. */

#include "base/status.h"
#include "domain/subscription.h"

struct ctx;
struct intent;
struct tx;

/* Locks the row. intent: the caller's own, NULL when he only asks. Fails with
 * SUBSCRIPTION_NOT_FOUND, SOURCE_NOT_SUPPORTED, ETAG_MISMATCH, SUBSCRIPTION_BUSY. */
struct status subscription_guard(
    struct ctx *cx,
    struct tx *tx,
    const struct intent *intent,
    const struct id *subscription_id,
    const char *etag,
    struct subscription *ret_row) MUST_CHECK;

/* The reason, with what it is and which method that does not suit. */
struct status
subscription_refused(struct ctx *cx, const struct subscription *row, enum reason reason);

struct status
subscription_with_id(struct ctx *cx, struct status status, const struct subscription *row);
