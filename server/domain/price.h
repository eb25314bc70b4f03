#pragma once

/* What a plan version costs, in one currency and one interval. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"

struct ctx;

#define PRICE_TIERS_MAX 100
#define PRICE_DECIMALS_MAX 12 /* what the payment side takes */

/* The numbers are those of billingos.v1.PriceModel. */
enum price_model {
    PRICE_FLAT = 1,
    PRICE_PER_UNIT = 2,
    PRICE_GRADUATED = 3,
    PRICE_VOLUME = 4,
    PRICE_PACKAGE = 5,
};

/* The numbers are those of billingos.v1.BillingInterval. */
enum billing_interval {
    INTERVAL_DAY = 1,
    INTERVAL_WEEK = 2,
    INTERVAL_MONTH = 3,
    INTERVAL_YEAR = 4,
};

/* The numbers are those of billingos.v1.TaxBehavior. */
enum tax_behavior {
    TAX_UNSPECIFIED = 0,
    TAX_EXCLUSIVE = 1,
    TAX_INCLUSIVE = 2,
};

/* An amount per unit: minor units, or with decimals for what is cheaper than one. */
struct unit_price {
    int64_t minor;
    const char *decimal; /* "" = minor holds; else minor is 0 */
};

struct price_tier {
    int64_t up_to; /* the last unit of the tier; 0: without end */
    struct unit_price unit;
    int64_t flat_minor;
};

struct price {
    struct id price_id;
    const char *key; /* "" = none */
    struct id plan_id;
    int32_t plan_version;
    bool frozen; /* of a version that is not a draft any more; set when read */
    const char *name;
    enum price_model model;
    const char *currency;
    const char *amount_currency; /* on input: what its amounts say; "" = nothing */
    enum billing_interval interval;
    int32_t interval_count;
    struct id meter_id;     /* zero: the quantity of the subscription, billed in advance */
    const char *meter_key;  /* "" = without a meter */
    bool has_unit;          /* FLAT, PER_UNIT, PACKAGE */
    struct unit_price unit; /* FLAT: the fee; PACKAGE: per package */
    const struct price_tier *tiers;
    size_t tier_count;
    int64_t package_size; /* 0 unless PACKAGE */
    int64_t quantity_min; /* 1 or more */
    int64_t quantity_max; /* 0: no limit */
    enum tax_behavior tax;
    const char *metadata;        /* a JSON object of texts */
    const char *stripe_price_id; /* "" = not made at the payment side */
    int64_t version;
    int64_t created_us;
    int64_t updated_us;
    int64_t archived_us; /* 0: on sale */
};

const char *price_model_name(enum price_model model);
bool price_model_parse(const char *name, enum price_model *ret_model);
const char *billing_interval_name(enum billing_interval interval);
bool billing_interval_parse(const char *name, enum billing_interval *ret_interval);
/* at_us one period later; months are clamped (period_add_months()). */
int64_t billing_interval_after(enum billing_interval interval, int64_t count, int64_t at_us);
const char *tax_behavior_name(enum tax_behavior tax);
bool tax_behavior_parse(const char *name, enum tax_behavior *ret_tax);

/* What the merchant gives. path: "price", "prices[2]". Fails with FIELD_INVALID,
 * PRICE_TIERS_INVALID, CURRENCY_UNKNOWN, CURRENCY_MISMATCH. */
struct status price_check(struct ctx *cx, const char *path, const struct price *price) MUST_CHECK;

/* Digits, or digits, a point and up to 12 digits; without a sign. */
bool price_decimal_valid(const char *text);

bool price_metered(const struct price *price);

/* GRADUATED and VOLUME. */
bool price_tiered(const struct price *price);

/* Nothing is ever asked for under this price, so that it needs no payment side. */
bool price_is_free(const struct price *price);
