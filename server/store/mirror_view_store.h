#pragma once

/* The mirror as a comparison sees it: for objects of the payment side what our rows say, reduced to
 * what can be compared. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/invoice.h"
#include "domain/subscription.h"

struct ctx;
struct db;

/* What every row says, whatever it is of. */
struct mirror_row {
    const char *stripe_id;
    struct id id;
    struct id customer_id;
    struct id subscription_id;
    int64_t fetch_number;
    int64_t synced_us; /* when it was last written */
};

struct mirror_subscription {
    struct mirror_row row;
    struct subscription subscription; /* without keys, items and texts */
    const char *stripe_price_id;
};

struct mirror_invoice {
    struct mirror_row row;
    struct invoice invoice; /* without texts but number and currency */
};

/* Those of the objects that are mirrored, in any order. */
struct status mirror_view_store_subscriptions(
    struct ctx *cx,
    struct db *db,
    const char *const *stripe_ids,
    size_t count,
    struct mirror_subscription **ret_rows,
    size_t *ret_count) MUST_CHECK;
struct status mirror_view_store_invoices(
    struct ctx *cx,
    struct db *db,
    const char *const *stripe_ids,
    size_t count,
    struct mirror_invoice **ret_rows,
    size_t *ret_count) MUST_CHECK;

/* Which of the payment side's customers are ours. */
struct status mirror_view_store_customers(
    struct ctx *cx,
    struct db *db,
    const char *const *stripe_ids,
    size_t count,
    const char *const **ret_known,
    size_t *ret_known_count) MUST_CHECK;

/* A row that waits for its object: it is PENDING or FAILED and has none yet. *ret_busy: somebody
 * drives its call right now. */
struct status mirror_view_store_waiting(
    struct ctx *cx,
    struct db *db,
    const struct id *subscription_id,
    bool *ret_found,
    bool *ret_busy,
    struct mirror_row *ret_row) MUST_CHECK;

/* What is mirrored, was not written since the number before_fetch was taken, and was not seen by
 * the run: at most max ids behind `after`, in order. whole false: only what can still change and
 * was made after from_us. */
struct mirror_unseen {
    struct id run_id;
    int64_t before_fetch;
    bool whole;
    int64_t from_us;
    const char *after;
    size_t max;
};
struct status mirror_view_store_unseen_subscriptions(
    struct ctx *cx,
    struct db *db,
    const struct mirror_unseen *query,
    const char *const **ret_ids,
    size_t *ret_count) MUST_CHECK;
struct status mirror_view_store_unseen_invoices(
    struct ctx *cx,
    struct db *db,
    const struct mirror_unseen *query,
    const char *const **ret_ids,
    size_t *ret_count) MUST_CHECK;
