#pragma once

/* Discounts that can be given. What a coupon gives is for ever; its name and metadata can change.
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"

struct ctx;

/* The numbers are those of billingos.v1.CouponDuration. */
enum coupon_duration {
    COUPON_ONCE = 1,
    COUPON_REPEATING = 2,
    COUPON_FOREVER = 3,
};

#define COUPON_KEY_LETTERS_MAX 64
#define COUPON_NAME_LETTERS_MAX 40
#define COUPON_MONTHS_MAX 36
#define COUPON_PLANS_MAX 100

struct coupon {
    struct id coupon_id; /* its text is the id at the payment side as well */
    const char *key;
    const char *name;
    int32_t percent_off_bps;  /* 0: an amount */
    int64_t amount_off_minor; /* 0: a share */
    const char *currency;     /* of the amount; "" = none */
    enum coupon_duration duration;
    int32_t months;          /* REPEATING */
    int64_t redemptions_max; /* 0: no limit */
    int64_t redemptions;     /* as last read from the payment side */
    int64_t redeem_by_us;    /* 0: no end */
    const char *const *plan_keys;
    size_t plan_count;    /* 0: for all plans */
    const char *metadata; /* a JSON object of texts */
    int64_t version;
    int64_t created_us;
    int64_t updated_us;
    int64_t archived_us; /* 0: in use */
};

const char *coupon_duration_name(enum coupon_duration duration);
bool coupon_duration_parse(const char *name, enum coupon_duration *ret_duration);

/* path: "coupon". Fails with FIELD_INVALID, CURRENCY_UNKNOWN. */
struct status
coupon_check(struct ctx *cx, const char *path, const struct coupon *coupon) MUST_CHECK;

/* For an order of that plan in that currency. Fails with COUPON_NOT_REDEEMABLE; cause is ARCHIVED,
 * EXPIRED, USED_UP, PLAN or CURRENCY. */
struct status coupon_check_redeemable(
    struct ctx *cx, const struct coupon *coupon, const char *plan_key, const char *currency)
    MUST_CHECK;
