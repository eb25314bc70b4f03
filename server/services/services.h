#pragma once

/* What every use case is given: the database, the caches, the payment side, the settings. Built
 * once by app.c, read-only afterwards; the parts are thread-safe, each as its header says.
 *
 * A use case has the form
 *     struct status customers_create(struct ctx *cx, struct services *services, struct tx *tx,
 *                                    const struct customer *input, struct customer *ret_customer);
 * Reads take services and ask the pool. Writes that touch only our database take the transaction of
 * their caller (services/keyed.h), so that the claim of the request_id, the effect, the answer and
 * the events are one commit. Writes that reach the payment side run through services/intents.h.
 * org_id is always cx->caller.org_id. */

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"

struct auth_cache;
struct catalog_cache;
struct db;
struct entitlement_cache;
struct hub;
struct mirror_lag;
struct stripe_budget;
struct stripe_client;

struct services_settings {
    const char
        *bootstrap_token_hash; /* SHA-256 in hex of the token that makes organisations; "" = none */
    const char *page_token_secret;      /* key of the HMAC of page and resume tokens; never "" */
    const char *stripe_api_base;        /* "https://api.stripe.com" or the simulator */
    const char *stripe_secret_key_live; /* "" = live mode is not configured */
    const char *stripe_secret_key_test;
    const char *stripe_idempotency_prefix;       /* "bos" and the environment */
    const char *public_url;                      /* where onboarding returns to */
    const char *const *webhook_secrets_connect;  /* NULL-terminated */
    const char *const *webhook_secrets_platform; /* NULL-terminated */
    int64_t webhook_tolerance_seconds;
    int64_t max_staleness_ms; /* how old the cache may be when the database is away */
    int64_t api_key_cache_ms;
    int64_t idempotency_keep_days;
    int64_t event_keep_days;
    int64_t usage_keep_days;
    int64_t webhook_keep_days;
    int64_t webhook_attempts_max;
    int64_t audit_keep_days;
};

struct services {
    const struct services_settings *settings;
    struct db *db;
    struct auth_cache *auth;
    struct entitlement_cache *cache;
    struct catalog_cache *catalog;
    struct hub *hub;
    struct stripe_budget *budget;
    struct mirror_lag *mirror;         /* NULL: nobody asks how old the mirror is */
    void (*wake_webhooks)(void *user); /* a webhook was stored: the job that handles it may run */
    void *wake_user;
};

/* The payment side for the calling thread and the mode of cx->caller; kept by the thread. Fails
 * with PAYMENT_ACCOUNT_NOT_CONNECTED when the mode has no platform key. */
struct status services_payment_client(
    struct ctx *cx, struct services *services, struct stripe_client **ret_client) MUST_CHECK;
