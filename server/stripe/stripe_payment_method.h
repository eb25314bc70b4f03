#pragma once

/* Payment methods of a merchant's customers at the payment side. account_id is the merchant's
 * account, never "". Failures: stripe_client.h. */

#include "base/status.h"
#include "domain/payment.h"

struct ctx;
struct stripe_client;

/* Makes the payment method, or what a token stands for, one of the customer's: the answer
 * is what can be charged from now on. Attaching one that the customer has already succeeds. */
struct status stripe_payment_method_attach(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_method_id,
    const char *customer_id,
    const char *idempotency_key,
    struct payment_instrument *ret_instrument) MUST_CHECK;

/* Nobody's from now on. Fails with PAYMENT_SIDE_REJECTED when it was nobody's before. */
struct status stripe_payment_method_detach(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_method_id,
    const char *idempotency_key,
    struct payment_instrument *ret_instrument) MUST_CHECK;

/* Detached ones are found. */
struct status stripe_payment_method_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_method_id,
    struct payment_instrument *ret_instrument) MUST_CHECK;
