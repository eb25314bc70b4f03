#pragma once

/* Reads what a request says about a subscription and checks it, before anything is changed. Shared
 * by creation and update. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "sandbox/coupon.h"
#include "sandbox/subscription.h"

struct call;

/* items[n][price] and items[n][quantity] into the item; what is absent stays. */
bool subscription_draft_item(struct call *call, size_t n, struct subscription_item *item)
    MUST_CHECK;

/* No two items have one price, all have one currency, none is too many. */
bool subscription_draft_check_items(
    struct call *call,
    const struct customer *customer,
    const struct subscription_item *items,
    size_t count) MUST_CHECK;

/* default_payment_method: a card of the customer. Absent: *method stays. */
bool subscription_draft_method(
    struct call *call, const struct customer *customer, struct payment_method **method) MUST_CHECK;

/* discounts[0][coupon]. Absent or an empty array: *discount stays; empty: it is cleared. */
bool subscription_draft_discount(struct call *call, int64_t now_s, struct discount *discount)
    MUST_CHECK;

/* application_fee_percent in hundredths. */
bool subscription_draft_fee(struct call *call, int64_t *hundredths) MUST_CHECK;

/* Whether the amount can be charged now, as payment_behavior demands: fails with a 402 when it must
 * not be left incomplete and the card is foreseen to decline. */
bool subscription_draft_payment(
    struct call *call,
    const struct customer *customer,
    const struct payment_method *method,
    int64_t amount) MUST_CHECK;

/* payment_behavior is this one. */
bool subscription_draft_behaves(const struct call *call, const char *behavior);
