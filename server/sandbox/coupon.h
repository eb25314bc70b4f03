#pragma once

/* Coupons, and the discounts that they become on a subscription. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct render;

enum coupon_duration {
    COUPON_ONCE,
    COUPON_REPEATING,
    COUPON_FOREVER
};

struct coupon {
    struct object object;
    const char *name;
    const char *currency;
    int64_t amount_off;  /* 0: percent_off counts */
    int64_t percent_off; /* hundredths of a percent */
    enum coupon_duration duration;
    int64_t duration_in_months;
    int64_t max_redemptions; /* 0: any number */
    int64_t redeem_by_s;     /* 0: for ever */
    int64_t times_redeemed;
    struct metadata metadata;
};

struct discount {
    const char *id; /* NULL: none */
    struct coupon *coupon;
    int64_t start_s;
    int64_t end_s; /* 0: no end */
    bool used_up;  /* a coupon for once, after its invoice */
};

bool coupon_valid(const struct coupon *coupon, int64_t now_s);

/* How much of the amount the discount takes off at that time; 0 when it does not count any more. */
int64_t coupon_reduction(const struct discount *discount, int64_t amount, int64_t now_s);

void coupon_render(struct render *render, const struct object *object);
void coupon_render_discount(
    struct render *render,
    const char *customer_id,
    const char *subscription_id,
    const struct discount *discount);
