#pragma once

/* Refunds at the payment side. Failures: stripe_client.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"

struct ctx;
struct stripe_client;

struct stripe_refund_params {
    const char *payment_intent_id;
    int64_t amount_minor;
    const char *currency;
    const char *reason;   /* "" = none */
    bool application_fee; /* the platform's share is given back too */
    struct payment_marks marks;
};

struct status stripe_refund_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_refund_params *params,
    const char *idempotency_key,
    struct payment_refund *ret_refund) MUST_CHECK;

struct status stripe_refund_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *refund_id,
    struct payment_refund *ret_refund) MUST_CHECK;

/* The refund of the payment that carries the mark of the operation, among its newest 100. */
struct status stripe_refund_find(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_intent_id,
    const char *operation_id,
    bool *ret_found,
    struct payment_refund *ret_refund) MUST_CHECK;
