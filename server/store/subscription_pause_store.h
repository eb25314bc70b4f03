#pragma once

/* When paused subscriptions resume by themselves: the one thing about a pause that the payment side
 * does not know. It goes with the pause (subscription_store_write()). */

#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"

struct ctx;
struct db;
struct tx;

/* In the transaction that holds the row. resume_us 0: not by itself. */
struct status subscription_pause_store_set(
    struct ctx *cx, struct tx *tx, const struct id *subscription_id, int64_t resume_us) MUST_CHECK;

/* The date was met and is not to be tried again. */
struct status subscription_pause_store_clear(
    struct ctx *cx, struct db *db, const struct id *subscription_id) MUST_CHECK;

struct subscription_resumption {
    int64_t org_id;
    struct id subscription_id;
    int64_t resume_us;
};

/* Of all organisations, the one that is due longest first. At most max. */
struct status subscription_pause_store_due(
    struct ctx *cx,
    struct db *db,
    size_t max,
    struct subscription_resumption *ret_resumptions,
    size_t *ret_count) MUST_CHECK;
