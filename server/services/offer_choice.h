#pragma once

/* Which price of a plan version is meant, and what is sold along with it. Pure but for the errors.
 */

#include "base/status.h"
#include "store/offer_store.h"

struct ctx;

struct offer_wish {
    struct id price_id;             /* zero: by interval and currency */
    enum billing_interval interval; /* 0: any */
    const char *currency;           /* "" = any */
    const char *customer_currency;  /* preferred where several fit; "" = none */
    int64_t quantity;
};

/* The one that fits. Fails with PLAN_HAS_NO_PRICE, PRICE_NOT_FOUND, PRICE_ARCHIVED,
 * PRICE_AMBIGUOUS, FIELD_INVALID (quantity). */
struct status offer_choose(
    struct ctx *cx,
    const struct offer *offer,
    const struct offer_wish *wish,
    const struct offer_price **ret_price) MUST_CHECK;

/* Fails with PLAN_NOT_PUBLISHED when the payment side does not have the price: a free plan that was
 * published before an account was connected (services/catalog_mirror.h). */
struct status offer_check_mirrored(
    struct ctx *cx, const struct offer *offer, const struct offer_price *price) MUST_CHECK;

/* Whether the metered price is billed along with the chosen one: same currency, same interval. */
bool offer_goes_along(const struct offer_price *chosen, const struct offer_price *price);
