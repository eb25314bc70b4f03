#pragma once

/* What a change of a subscription would be invoiced. account_id is the merchant's account, never
 * "". Failures: stripe_client.h. */

#include "base/status.h"
#include "domain/payment.h"

struct ctx;
struct stripe_client;
struct stripe_subscription_change;

/* The same items and proration as stripe_subscription_change() takes; it changes nothing. With
 * "always_invoice", or when the interval changes: the invoice of the change, else the next regular
 * one, on which the change stands as well. At most the first ten lines are told. */
struct status stripe_preview_change(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct stripe_subscription_change *change,
    const char *idempotency_key,
    struct payment_preview *ret_preview) MUST_CHECK;
