#pragma once

/* Customers of a merchant at the payment side. account_id is the merchant's account, never "".
 * Failures: stripe_client.h. */

#include "base/status.h"
#include "domain/payment.h"
#include "http/json.h"

struct ctx;
struct stripe_client;

struct stripe_customer_params {
    const char *email;
    const char *name;
    const char *phone;
    const char *description;
    const char *payment_method; /* create only: attached, and the default of its invoices */
    const char *test_clock;     /* create only */
    struct payment_marks marks;
};

struct status stripe_customer_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_customer_params *params,
    const char *idempotency_key,
    struct payment_customer *ret_customer) MUST_CHECK;

/* Makes e-mail, name, phone and description there what they are in params: "" clears them. */
struct status stripe_customer_update(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    const struct stripe_customer_params *params,
    const char *idempotency_key,
    struct payment_customer *ret_customer) MUST_CHECK;

/* Chooses what its invoices are charged to; "" = nothing. */
struct status stripe_customer_set_default(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    const char *payment_method_id,
    const char *idempotency_key,
    struct payment_customer *ret_customer) MUST_CHECK;

/* A deleted customer is found, with `deleted` set and nothing else. */
struct status stripe_customer_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    struct payment_customer *ret_customer) MUST_CHECK;

/* From what was read before, the raw of it. */
struct status stripe_customer_parse(
    struct ctx *cx, const char *raw, struct payment_customer *ret_customer) MUST_CHECK;

/* All but raw. */
void stripe_customer_read(struct ctx *cx, json_value object, struct payment_customer *ret_customer);
