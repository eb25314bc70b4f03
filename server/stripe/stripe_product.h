#pragma once

/* Products at the payment side: each plan is one. account_id is the merchant's account, never "".
 * Failures: stripe_client.h. */

#include <stdbool.h>

#include "base/status.h"
#include "domain/payment.h"
#include "http/json.h"

struct ctx;
struct stripe_client;

struct stripe_product_params {
    const char *name;
    const char *description;
    const char *unit_label;
    bool active; /* update only; a new one is */
    struct payment_marks marks;
};

struct status stripe_product_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_product_params *params,
    const char *idempotency_key,
    struct payment_product *ret_product) MUST_CHECK;

/* "" clears description and unit label. */
struct status stripe_product_update(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *product_id,
    const struct stripe_product_params *params,
    const char *idempotency_key,
    struct payment_product *ret_product) MUST_CHECK;
struct status stripe_product_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *product_id,
    struct payment_product *ret_product) MUST_CHECK;

/* All but raw. */
void stripe_product_read(struct ctx *cx, json_value object, struct payment_product *ret_product);
