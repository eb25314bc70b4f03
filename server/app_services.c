#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/digest.h"
#include "base/heap.h"
#include "base/id.h"
#include "cache/catalog_cache.h"
#include "cache/entitlement_cache.h"
#include "feed/hub.h"
#include "services/auth_cache.h"
#include "services/mirror_lag.h"
#include "services/services.h"
#include "settings.h"
#include "store/db.h"
#include "store/server_secret_store.h"
#include "stripe/stripe_budget.h"

#define SECRETS_MAX 8
#define SECRET_BYTES 32

struct status app_database(
    struct ctx *cx, const struct settings *settings, const char *application, struct db **ret_db)
{
    const struct db_config config = {
        .url = settings->database_url,
        .connections_max = (uint32_t)settings->database_connections_max,
        .acquire_ms_max = settings->database_acquire_ms_max,
        .statement_ms_max = settings->database_statement_ms_max,
        .application_name = application,
    };
    struct status status;

    if (settings->database_url[0] == '\0') {
        return status_fail(
            cx,
            REASON_FIELD_INVALID,
            "database.url is not set: write it into the settings file or BILLINGOS_DATABASE_URL, "
            "as postgresql://user:password@host/database");
    }
    status = db_new(cx, &config, ret_db);
    if (status_reason(status) == REASON_FIELD_INVALID) {
        return status_fail(cx, REASON_FIELD_INVALID, "database.url: %s", status_message(status));
    }
    TRY(status);
    return db_ping(cx, *ret_db);
}

/* "a, b" -> {"a", "b", NULL}. */
static struct status
split(struct ctx *cx, const char *key, const char *list, const char *const **ret_items)
{
    const char **items = arena_alloc(cx->arena, (SECRETS_MAX + 1) * sizeof(const char *));
    size_t count = 0;

    while (*list != '\0') {
        const size_t len = strcspn(list, ", ");

        if (len > 0 && count == SECRETS_MAX) {
            return status_fail(
                cx, REASON_FIELD_INVALID, "%s has more than %d parts", key, SECRETS_MAX);
        }
        if (len > 0) {
            items[count++] = arena_text_n(cx->arena, list, len);
        }
        list += len + (list[len] != '\0' ? 1 : 0);
    }
    *ret_items = items;
    return STATUS_OK;
}

static struct status read_secrets(
    struct ctx *cx, const struct settings *settings, struct db *db, struct services_settings *ret)
{
    ret->page_token_secret = settings->security_token_secret;
    ret->bootstrap_token_hash = settings->security_bootstrap_token_hash;
    if (ret->page_token_secret[0] == '\0') {
        uint8_t fresh[SECRET_BYTES];

        random_bytes(fresh, sizeof fresh);
        TRY(server_secret_store_ensure(
            cx,
            db,
            "token_secret",
            base64url_text(cx->arena, fresh, sizeof fresh),
            &ret->page_token_secret));
    }
    if (ret->bootstrap_token_hash[0] == '\0') {
        TRY(server_secret_store_get(cx, db, "bootstrap_token_hash", &ret->bootstrap_token_hash));
    }
    return STATUS_OK;
}

static struct status make_settings(
    struct ctx *cx,
    const struct settings *settings,
    struct db *db,
    struct services_settings **ret_settings)
{
    struct services_settings *made = ARENA_NEW(cx->arena, struct services_settings);

    *made = (struct services_settings){
        .stripe_api_base = settings->payments_api_base,
        .stripe_secret_key_live = settings->payments_secret_key_live,
        .stripe_secret_key_test = settings->payments_secret_key_test,
        .stripe_idempotency_prefix = settings->payments_idempotency_prefix,
        .public_url = settings->payments_return_url,

        .webhook_tolerance_seconds = settings->payments_webhook_tolerance_seconds,
        .max_staleness_ms = settings->cache_staleness_ms_max,
        .api_key_cache_ms = settings->cache_api_key_ms_max,
        .idempotency_keep_days = settings->jobs_idempotency_keep_days,
        .event_keep_days = settings->jobs_event_keep_days,
        .usage_keep_days = settings->jobs_usage_keep_days,
        .webhook_keep_days = settings->jobs_webhook_keep_days,
        .webhook_attempts_max = settings->jobs_webhook_attempts_max,
        .audit_keep_days = settings->jobs_audit_keep_days,
    };
    TRY(split(
        cx,
        "payments.webhook_secrets_connect",
        settings->payments_webhook_secrets_connect,
        &made->webhook_secrets_connect));
    TRY(split(
        cx,
        "payments.webhook_secrets_platform",
        settings->payments_webhook_secrets_platform,
        &made->webhook_secrets_platform));
    TRY(read_secrets(cx, settings, db, made));
    *ret_settings = made;
    return STATUS_OK;
}

struct status app_services(
    struct ctx *cx, const struct settings *settings, struct db *db, struct services **ret_services)
{
    const struct auth_cache_config auth = {
        .keys_max = 10000,
        .lifetime_ms = settings->cache_api_key_ms_max,
        .stale_ms_max = settings->cache_staleness_ms_max,
    };
    const struct stripe_budget_config budget = {0}; /* the defaults */
    struct services_settings *made = NULL;
    struct services *services = NULL;

    TRY(make_settings(cx, settings, db, &made));
    services = heap_new(sizeof *services);
    if (services == NULL) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    services->settings = made;
    services->db = db;
    services->auth = auth_cache_new(&auth);
    services->cache = entitlement_cache_new((size_t)settings->cache_customers_max);
    services->catalog = catalog_cache_new((size_t)settings->cache_organizations_max);
    services->hub = hub_new((size_t)settings->feed_subscribers_max);
    services->budget = stripe_budget_new(&budget);
    services->mirror = mirror_lag_new();
    if (services->auth == NULL || services->cache == NULL || services->catalog == NULL ||
        services->hub == NULL || services->budget == NULL || services->mirror == NULL) {
        app_services_free(services);
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    *ret_services = services;
    return STATUS_OK;
}

void app_services_free(struct services *services)
{
    if (services == NULL) {
        return;
    }
    auth_cache_free(services->auth);
    entitlement_cache_free(services->cache);
    catalog_cache_free(services->catalog);
    hub_free(services->hub);
    stripe_budget_free(services->budget);
    mirror_lag_free(services->mirror);
    heap_free(services);
}
