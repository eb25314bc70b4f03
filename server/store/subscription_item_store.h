#pragma once

/* What each subscription consists of: table subscription_items, one row for each price. */

#include <stddef.h>

#include "base/status.h"
#include "domain/subscription.h"

struct ctx;
struct db;
struct tx;

/* An item as the payment side has it. */
struct subscription_item_row {
    struct subscription_item item; /* keys and meter are not written */
    const char *stripe_item_id;
    const char *stripe_price_id; /* not written */
    int64_t period_start_us;
    int64_t period_end_us;
};

/* Sets items and item_count of each subscription, the base plan first; in the transaction, or
 * outside of one when tx is NULL. */
struct status subscription_item_store_load(
    struct ctx *cx, struct db *db, struct tx *tx, struct subscription *subscriptions, size_t count)
    MUST_CHECK;

/* As the payment side has them, the base plan first; the row of the subscription is locked. rows
 * has SUBSCRIPTION_ITEMS_MAX entries. */
struct status subscription_item_store_rows(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    struct subscription_item_row *ret_rows,
    size_t *ret_count) MUST_CHECK;

/* The items are these from now on; the row of the subscription is locked. */
struct status subscription_item_store_replace(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const struct subscription_item_row *items,
    size_t count) MUST_CHECK;
