#pragma once

/* What is sent to the payment side for a new subscription, written down with the claim, so that
 * every try sends the same whatever has changed here meanwhile. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "base/str.h"
#include "domain/subscription.h"

struct ctx;

struct subscription_request_line {
    const char *stripe_price_id;
    int64_t quantity; /* 0 for metered prices */
};

struct subscription_request {
    const char *account_id;
    const char *org_id; /* "org_..." */
    struct id customer_id;
    const char *customer_name;
    const char *customer_email;
    struct subscription_request_line lines[SUBSCRIPTION_ITEMS_MAX];
    size_t line_count;
    int64_t trial_end_us;
    int64_t trial_days;
    const char *trial_end_behavior;
    int64_t anchor_us;
    int64_t backdate_us;
    const char *coupon; /* "" = none */
    const char *payment_method_id;
    const char *payment_behavior;
    bool by_invoice;
    int64_t days_until_due;
    int32_t application_fee_bps;
};

/* In the arena of cx. */
struct str subscription_request_write(struct ctx *cx, const struct subscription_request *request);

struct status subscription_request_read(
    struct ctx *cx, struct str text, struct subscription_request *ret_request) MUST_CHECK;
