#pragma once

/* Merchants' accounts under the platform: made with a dashboard of the payment side's, onboarded on
 * its pages, read back. All are calls of the platform itself. Failures: stripe_client.h. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"
#include "http/json.h"

struct ctx;
struct stripe_client;

struct stripe_account_params {
    const char *country; /* "DE"; "" = the payment side asks */
    const char *email;
    const char *business_name;
    const char *business_url;
    bool full_dashboard; /* of the merchant's own, instead of the small one */
    struct payment_marks marks;
};

/* The key must be the same for every try of one merchant: a second account could not be merged. */
struct status stripe_account_create(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_account_params *params,
    const char *idempotency_key,
    struct payment_account *ret_account,
    const char **ret_raw) MUST_CHECK;

/* account_id "" reads the platform's own account. PAYMENT_ACCOUNT_NOT_CONNECTED: disconnected. */
struct status stripe_account_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    struct payment_account *ret_account,
    const char **ret_raw) MUST_CHECK;

/* A page where the merchant goes on with the onboarding. Good once and for minutes: never stored,
 * mailed or logged. That return_url was reached proves nothing. */
struct status stripe_account_link(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *refresh_url,
    const char *return_url,
    const char **ret_url,
    int64_t *ret_expires_us) MUST_CHECK;

/* A page into the merchant's small dashboard; the same cautions. */
struct status stripe_account_login_link(
    struct ctx *cx, struct stripe_client *client, const char *account_id, const char **ret_url)
    MUST_CHECK;

/* fetch_number, version, synced_us and whatever else the object does not say are left 0. */
void stripe_account_read(struct ctx *cx, json_value object, struct payment_account *ret_account);
