#pragma once

/* Subscriptions in the database, one row each.
 * A row is written before the payment side is called and settled afterwards, so that a crash leaves
 * a PENDING row behind and never a lost subscription. What mirrors the payment side is overwritten
 * by a read with a higher fetch number only; who writes has locked the row. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/subscription.h"

struct ctx;
struct db;
struct tx;

/* Fails with SUBSCRIPTION_NOT_FOUND. Items are read apart (subscription_item_store.h). */
struct status subscription_store_load(
    struct ctx *cx,
    struct db *db,
    const struct id *subscription_id,
    struct subscription *ret_subscription) MUST_CHECK;

/* What a list is narrowed to, and where the page begins: behind (before_us, before_id), newest
 * first; before_us 0 is the newest. */
struct subscription_filter {
    struct id customer_id;       /* zero: of all */
    struct id plan_id;           /* zero: of all */
    int32_t plan_version;        /* 0: of all */
    const char *const *statuses; /* names; count 0: all */
    size_t status_count;
    int64_t from_us;  /* of their creation; 0: from the beginning */
    int64_t until_us; /* excluded; 0: no end */
    int64_t before_us;
    struct id before_id;
};

/* At most max, in the arena of cx. */
struct status subscription_store_list(
    struct ctx *cx,
    struct db *db,
    const struct subscription_filter *filter,
    size_t max,
    struct subscription **ret_subscriptions,
    size_t *ret_count) MUST_CHECK;

/* Locks the row until the end of the transaction. Fails with SUBSCRIPTION_NOT_FOUND. */
struct status subscription_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    struct subscription *ret_subscription) MUST_CHECK;
struct status subscription_store_lock_stripe(
    struct ctx *cx,
    struct tx *tx,
    const char *stripe_subscription_id,
    struct subscription *ret_subscription) MUST_CHECK;

/* Inserts a row that the payment side does not know yet, or that we did not know; nothing happens
 * when somebody else has just inserted the one with this id of the payment side. */
struct status subscription_store_insert(
    struct ctx *cx, struct tx *tx, const struct subscription *subscription) MUST_CHECK;

/* Writes everything that mirrors the payment side, with the object it was read from. changed:
 * raises the version. */
struct status subscription_store_write(
    struct ctx *cx,
    struct tx *tx,
    const struct subscription *subscription,
    const char *raw,
    bool changed) MUST_CHECK;

/* A row that never came to be: FAILED with its reason. */
struct status subscription_store_fail(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const char *failure_reason,
    const char *decline_code) MUST_CHECK;

/* Notes what went wrong with the last payment of a live subscription, and its newest invoice. */
struct status subscription_store_note_invoice(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const char *failure_reason, /* NULL: leave it */
    const char *decline_code) MUST_CHECK;

/* What the customer has or had of a plan; the customer's row is locked. */
struct subscription_history {
    struct id live_id; /* one that has not ended; zero: none */
    bool had_trial;
};
struct status subscription_store_history(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const struct id *plan_id,
    struct subscription_history *ret_history) MUST_CHECK;
