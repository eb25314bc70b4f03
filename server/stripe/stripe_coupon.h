#pragma once

/* Coupons of a merchant at the payment side; we choose their ids. account_id is the merchant's
 * account, never "". Failures: stripe_client.h. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"

struct ctx;
struct stripe_client;

struct stripe_coupon_params {
    const char *id;
    const char *name;
    int32_t percent_off_bps;  /* 0: the amount counts */
    int64_t amount_off_minor; /* in minor units of ISO 4217 */
    const char *currency;
    const char *duration; /* "once", "repeating", "forever" */
    int32_t months;
    int64_t redemptions_max; /* 0: no limit */
    int64_t redeem_by_us;    /* 0: no end */
    struct payment_marks marks;
};

struct payment_coupon {
    const char *id;
    int64_t redemptions;
    bool deleted;
};

/* One that is there already with this id is the one that was made before: found, not an error. */
struct status stripe_coupon_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_coupon_params *params,
    const char *idempotency_key,
    struct payment_coupon *ret_coupon) MUST_CHECK;

struct status stripe_coupon_rename(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *coupon_id,
    const char *name,
    const char *idempotency_key,
    struct payment_coupon *ret_coupon) MUST_CHECK;

/* Nobody can redeem it any more; who has it keeps it. Twice is once. */
struct status stripe_coupon_delete(
    struct ctx *cx, struct stripe_client *client, const char *account_id, const char *coupon_id)
    MUST_CHECK;

struct status stripe_coupon_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *coupon_id,
    struct payment_coupon *ret_coupon) MUST_CHECK;
