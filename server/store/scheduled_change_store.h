#pragma once

/* Changes that wait for their time: table subscription_changes. One at a time for a subscription;
 * who adds or ends one has locked the row of the subscription. */

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "domain/scheduled_change.h"

struct ctx;
struct db;
struct subscription;
struct tx;

struct status scheduled_change_store_insert(
    struct ctx *cx, struct tx *tx, const struct scheduled_change *change) MUST_CHECK;

/* The one that waits. */
struct status scheduled_change_store_find(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    bool *ret_found,
    struct scheduled_change *ret_change) MUST_CHECK;

/* What has waited does not any more: it was taken back. */
struct status scheduled_change_store_cancel(
    struct ctx *cx, struct tx *tx, const struct id *subscription_id) MUST_CHECK;

/* The subscription is so now: it is what waited, or it ends, and then nothing waits. With the
 * next round trip. */
struct status scheduled_change_store_observe(
    struct ctx *cx, struct tx *tx, const struct subscription *subscription) MUST_CHECK;

/* What a list is narrowed to, and where the page begins: behind (after_us, after_id), the next one
 * first; after_us 0 is the first. */
struct scheduled_change_filter {
    struct id subscription_id; /* zero: of all */
    int64_t after_us;
    struct id after_id;
};
struct status scheduled_change_store_list(
    struct ctx *cx,
    struct db *db,
    const struct scheduled_change_filter *filter,
    size_t max,
    struct scheduled_change **ret_changes,
    size_t *ret_count) MUST_CHECK;
