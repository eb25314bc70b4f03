#pragma once

/* Tax numbers of a merchant's customers at the payment side. account_id is the merchant's account,
 * never "". Failures: stripe_client.h. */

#include <stdint.h>

#include "base/status.h"

struct ctx;
struct stripe_client;

struct payment_tax_id {
    const char *id;
    const char *customer_id; /* "" = nobody's */
    const char *type_text;
    const char *value;
    const char *verification; /* "pending" */
    int64_t created_us;
};

struct stripe_tax_id_params {
    const char *customer_id;
    const char *kind;
    const char *value;
};

struct status stripe_tax_id_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_tax_id_params *params,
    const char *idempotency_key,
    struct payment_tax_id *ret_tax_id) MUST_CHECK;

/* Twice is once. */
struct status stripe_tax_id_delete(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    const char *tax_id_id) MUST_CHECK;

struct status stripe_tax_id_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *tax_id_id,
    struct payment_tax_id *ret_tax_id) MUST_CHECK;
