#pragma once

/* What can be subscribed to: one version of a plan and its prices, as far as selling needs it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/price.h"

struct ctx;
struct db;
struct tx;

struct offer_price {
    struct id price_id;
    const char *currency;
    enum billing_interval interval;
    int64_t interval_count;
    bool metered;
    int64_t quantity_min;
    int64_t quantity_max; /* 0: no limit */
    bool archived;
    const char *stripe_price_id; /* "" = not made at the payment side */
};

struct offer {
    struct id plan_id;
    const char *plan_key;
    int32_t plan_version;
    bool addon;
    bool archived;
    bool published;
    int32_t trial_days;
    bool trial_needs_payment_method;
    int32_t application_fee_bps;
    const char *default_currency; /* of the organisation */
    const struct offer_price *prices;
    size_t price_count;
};

/* By our id, or by the merchant's key when plan_id is NULL; plan_version 0 is the one on sale.
 * Fails with PLAN_NOT_FOUND, PLAN_NOT_PUBLISHED (none is on sale), PLAN_VERSION_NOT_FOUND. */
struct status offer_store_load(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    const char *plan_key,
    int32_t plan_version,
    struct offer *ret_offer) MUST_CHECK;

/* Ours for a price of the payment side. */
struct offer_match {
    bool known;
    struct id price_id;
    struct id plan_id;
    const char *plan_key;
    int32_t plan_version;
    const char *currency;
    bool metered;
    bool addon;
};

/* ret_matches has as many entries as stripe_price_ids. */
struct status offer_store_match(
    struct ctx *cx,
    struct tx *tx,
    const char *const *stripe_price_ids,
    size_t count,
    struct offer_match *ret_matches) MUST_CHECK;

/* Whether there is such a plan. */
struct status offer_store_plan_exists(
    struct ctx *cx, struct db *db, const struct id *plan_id, bool *ret_exists) MUST_CHECK;
