#pragma once

/* Prices at the payment side. Nothing but `active` can change there. account_id is the merchant's
 * account, never "". Failures: stripe_client.h. */

#include <stdbool.h>

#include "base/status.h"
#include "domain/payment.h"
#include "domain/price.h"
#include "http/json.h"

struct ctx;
struct stripe_client;

struct stripe_price_params {
    const struct price *price; /* amounts, tiers, interval */
    const char *product_id;
    const char *meter_id; /* at the payment side; for prices with a meter */
    struct payment_marks marks;
};

/* Also fails with FIELD_INVALID or QUANTITY_OVERFLOW when the amount cannot be said there. */
struct status stripe_price_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_price_params *params,
    const char *idempotency_key,
    struct payment_price *ret_price) MUST_CHECK;

/* All that can change about a price: whether it is for sale. */
struct status stripe_price_activate(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *price_id,
    bool active,
    const char *idempotency_key,
    struct payment_price *ret_price) MUST_CHECK;
struct status stripe_price_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *price_id,
    struct payment_price *ret_price) MUST_CHECK;

/* All but raw. */
void stripe_price_read(struct ctx *cx, json_value object, struct payment_price *ret_price);
