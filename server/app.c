#include "app.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/deadline.h"
#include "base/log.h"
#include "cache/catalog_cache.h"
#include "cache/entitlement_cache.h"
#include "feed/hub.h"
#include "feed/tail.h"
#include "handlers/method_table.h"
#include "http/http_client.h"
#include "http/http_server.h"
#include "jobs/job_table.h"
#include "jobs/scheduler.h"
#include "rpc/rpc_server.h"
#include "services/auth.h"
#include "services/auth_cache.h"
#include "services/services.h"
#include "settings.h"
#include "store/db.h"
#include "store/event_log.h"
#include "store/schema.h"
#include "watchdog.h"
#include "web/ops.h"
#include "web/stripe_webhook.h"

#define HTTP_ARENA_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define OTHER_STREAMS_MAX 256 /* health and reflection, beside the subscribers */
#define UNHEALTHY_AFTER_US INT64_C(5000000)

struct app {
    const struct settings *settings;
    struct db *db;
    struct services *services;
    struct tail *tail;
    struct scheduler *scheduler;
    struct rpc_method_table table; /* the server borrows it */
    struct rpc_server *rpc;
    struct http_server *http;
    struct http_server *ops;
    struct watchdog *watchdog;
    struct job_thread job_threads[JOB_THREADS_COUNT];
    struct http_route ops_routes[OPS_ROUTES];
    struct http_route http_routes[STRIPE_WEBHOOK_ROUTES];
    /* Of the tail's thread: when the log was last read, and whether it is lost now. It begins as
     * lost: calls are answered before the tail has its position, and what they put into memory may
     * have been changed in between, which nobody would ever be told. */
    int64_t followed_us;
    bool lost;
    _Atomic bool draining;
    _Atomic bool crowded; /* there are hardly any descriptors left */
};

static void forget(
    struct services *services,
    enum event_type type,
    int64_t org_id,
    const struct id *customer_id,
    const char *payload)
{
    switch (type) {
    case EVENT_ENTITLEMENTS_CHANGED:
        entitlement_cache_invalidate(services->cache, org_id, customer_id);
        break;
    case EVENT_CATALOG_CHANGED:
        catalog_cache_invalidate(services->catalog, org_id);
        entitlement_cache_invalidate_org(services->cache, org_id);
        break;
    case EVENT_API_KEY_CHANGED:
        auth_key_changed(services, payload);
        break;
    default:
        break;
    }
}

/* The tail keeps the caches true and feeds the hub. */
static void on_event(void *user, const struct event *event)
{
    struct app *app = user;

    forget(app->services, event->type, event->org_id, &event->customer_id, event->payload);
    hub_publish(app->services->hub, event);
}

/* Whoever was told that a change is made sees it in the next call to this server. */
static void on_commit(void *user, const struct event_log_entry *entry)
{
    struct app *app = user;
    enum event_type type = EVENT_TYPE_COUNT;

    if (event_type_parse(entry->type, &type)) {
        forget(app->services, type, entry->org_id, &entry->customer_id, entry->payload);
    }
}

static void on_followed(void *user, int64_t as_of_us)
{
    struct app *app = user;

    if (app->lost) {
        /* The database may be another one than before: what memory holds is read again. */
        entitlement_cache_clear(app->services->cache);
        catalog_cache_clear(app->services->catalog);
        auth_cache_drop_all(app->services->auth);
        app->lost = false;
    }
    app->followed_us = monotonic_us();
    entitlement_cache_followed(app->services->cache, as_of_us);
    if (app->rpc != NULL && !atomic_load(&app->draining) && !atomic_load(&app->crowded)) {
        rpc_server_health(app->rpc, "", true);
    }
}

static void on_lost(void *user)
{
    struct app *app = user;

    app->lost = true;
    entitlement_cache_lost(app->services->cache);
    if (app->rpc != NULL && monotonic_us() - app->followed_us > UNHEALTHY_AFTER_US) {
        rpc_server_health(app->rpc, "", false);
    }
}

static void on_tick(void *user)
{
    struct app *app = user;

    hub_tick(app->services->hub);
}

/* The tail says that we serve again. */
static void on_crowded(void *user, bool crowded)
{
    struct app *app = user;

    atomic_store(&app->crowded, crowded);
    if (crowded) {
        rpc_server_health(app->rpc, "", false);
    }
}

/* A door knows its fields, not what they are called in the settings: "listen" is the setting that
 * is named here, others stand in the same section. */
static struct status named(struct ctx *cx, const char *setting, struct status status)
{
    const int section_len = (int)strcspn(setting, ".");
    const struct field_violation *first = NULL;
    const char *key = setting;

    if (status_reason(status) != REASON_FIELD_INVALID || status.error->violation_count == 0) {
        return status;
    }
    first = &status.error->violations[0];
    if (strcmp(first->field, "listen") != 0) {
        key = arena_printf(cx->arena, "%.*s.%s", section_len, setting, first->field);
    }
    return status_fail(cx, REASON_FIELD_INVALID, "%s: %s", key, first->description);
}

static struct status start_rpc(struct ctx *cx, struct app *app)
{
    const struct settings *s = app->settings;
    const struct rpc_server_config config = {
        .listen = s->grpc_listen,
        .tls_cert_file = s->grpc_tls_cert_file,
        .tls_key_file = s->grpc_tls_key_file,
        .allow_insecure = s->grpc_insecure != 0,
        .workers =
            {[RPC_LANE_DATABASE] = (uint32_t)s->grpc_workers_database,
             [RPC_LANE_PAYMENT] = (uint32_t)s->grpc_workers_payment},
        .queue_max =
            {[RPC_LANE_DATABASE] = (uint32_t)s->grpc_queue_database_max,
             [RPC_LANE_PAYMENT] = (uint32_t)s->grpc_queue_payment_max},
        .connections_max = (uint32_t)s->grpc_connections_max,
        .connections_per_peer_max = (uint32_t)s->grpc_connections_per_peer_max,
        .streams_per_connection_max = (uint32_t)s->grpc_streams_per_connection_max,
        .request_bytes_max = (uint32_t)s->grpc_request_bytes_max,
        .metadata_bytes_max = (uint32_t)s->grpc_metadata_bytes_max,
        .arena_bytes_max = (uint32_t)s->grpc_arena_bytes_max,
        .deadline_ms_default = (uint32_t)s->grpc_deadline_ms_default,
        .keepalive_ms = (uint32_t)s->grpc_keepalive_ms,
        .keepalive_timeout_ms = (uint32_t)s->grpc_keepalive_timeout_ms,
        .idle_connection_ms_max = (uint32_t)s->grpc_idle_connection_ms_max,
        .connection_age_ms_max = (uint32_t)s->grpc_connection_age_ms_max,
        .drain_ms_max = (uint32_t)s->grpc_drain_ms_max,
        .reflection = s->grpc_reflection != 0,
        .streams_max = (uint32_t)s->feed_subscribers_max + OTHER_STREAMS_MAX,
    };

    app->table = method_table(app->services);
    TRY(named(cx, "grpc.listen", rpc_server_new(cx, &config, &app->table, &app->rpc)));
    return named(cx, "grpc.listen", rpc_server_start(cx, app->rpc));
}

static struct status start_http(
    struct ctx *cx,
    struct app *app,
    const char *listen,
    const struct http_route *routes,
    size_t route_count,
    struct http_server **ret_server)
{
    const struct http_server_config config = {
        .listen = listen,
        .threads = (uint32_t)app->settings->http_threads,
        .connections_max = (uint32_t)app->settings->http_connections_max,
        .connections_per_peer_max = (uint32_t)app->settings->http_connections_per_peer_max,
        .idle_seconds_max = (uint32_t)app->settings->http_idle_seconds_max,
        .arena_bytes_max = HTTP_ARENA_BYTES_MAX,
    };

    TRY(http_server_new(cx, &config, routes, route_count, ret_server));
    return http_server_start(cx, *ret_server);
}

static void wake_webhooks(void *user)
{
    struct app *app = user;

    scheduler_wake(app->scheduler, JOB_THREAD_WEBHOOKS);
}

static struct status start_watchdog(struct ctx *cx, struct app *app)
{
    const struct http_probe rpc = {
        .address = rpc_server_address(app->rpc),
        .path = "/grpc.health.v1.Health/Check",
        .grpc = true,
        .tls = *app->settings->grpc_tls_cert_file != '\0',
    };
    const struct watchdog_config config = {
        .interval_ms = app->settings->watchdog_interval_ms,
        .doors =
            {{"grpc", rpc},
             {"http", {.address = http_server_address(app->http), .path = "/healthz"}},
             {"ops", {.address = http_server_address(app->ops), .path = "/healthz"}}},
        .door_count = WATCHDOG_DOORS_MAX,
        .on_crowded = on_crowded,
        .user = app,
    };

    return watchdog_start(cx, &config, &app->watchdog);
}

static struct status start(struct ctx *cx, struct app *app)
{
    const struct tail_observer observer = {on_event, on_followed, on_lost, on_tick, app};
    struct status status;

    TRY(app_database(cx, app->settings, "billingos", &app->db));
    TRY(schema_verify(cx, app->db, &SCHEMA));
    TRY(app_services(cx, app->settings, app->db, &app->services));
    event_log_observe(app->db, on_commit, app);
    TRY(tail_new(cx, app->db, &observer, 1, &app->tail));
    TRY(start_rpc(cx, app));
    TRY(tail_start(cx, app->tail));
    job_table((uint32_t)app->settings->jobs_webhook_workers, app->job_threads);
    app->scheduler = scheduler_new(app->services, app->job_threads, JOB_THREADS_COUNT);
    if (app->scheduler == NULL) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    app->services->wake_webhooks = wake_webhooks;
    app->services->wake_user = app;
    ops_routes(app->services, app->ops_routes);
    stripe_webhook_routes(app->services, app->http_routes);
    status = start_http(
        cx, app, app->settings->http_listen, app->http_routes, STRIPE_WEBHOOK_ROUTES, &app->http);
    TRY(named(cx, "http.listen", status));
    status =
        start_http(cx, app, app->settings->http_ops_listen, app->ops_routes, OPS_ROUTES, &app->ops);
    TRY(named(cx, "http.ops_listen", status));
    TRY(scheduler_start(cx, app->scheduler));
    return start_watchdog(cx, app);
}

/* In the opposite order: no new work, running calls end, then what they stand on. */
static void stop(struct app *app)
{
    atomic_store(&app->draining, true);
    watchdog_free(app->watchdog);
    if (app->rpc != NULL) {
        rpc_server_health(app->rpc, "", false);
        rpc_server_stop(app->rpc);
    }
    if (app->http != NULL) {
        http_server_stop(app->http);
        http_server_free(app->http);
    }
    scheduler_free(app->scheduler);
    tail_free(app->tail);
    rpc_server_free(app->rpc);
    if (app->ops != NULL) {
        http_server_stop(app->ops);
        http_server_free(app->ops);
    }
    app_services_free(app->services);
    db_free(app->db);
}

static void block_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void wait_for_end(struct ctx *cx, struct app *app, const sigset_t *signals)
{
    int got = 0;

    while (sigwait(signals, &got) == 0 && got == SIGHUP) {
        const struct status status = rpc_server_reload_tls(cx, app->rpc);

        if (status.code == CODE_OK) {
            log_info(cx, "certificates read again");
        } else {
            log_error(cx, "certificates not read, keeping the old ones", LOG_STATUS(status));
        }
    }
    log_info(cx, "ending", LOG_I64("signal", got));
}

struct status app_serve(struct ctx *cx, const struct settings *settings)
{
    struct app app = {.settings = settings, .lost = true};
    const int64_t began_us = monotonic_us();
    sigset_t signals;
    struct status status;

    block_signals(&signals);
    http_client_global_init();
    status = start(cx, &app);
    if (status.code == CODE_OK) {
        log_info(
            cx,
            "ready",
            LOG_TEXT("grpc", rpc_server_address(app.rpc)),
            LOG_TEXT("http", http_server_address(app.http)),
            LOG_TEXT("ops", http_server_address(app.ops)),
            LOG_I64("start_ms", (monotonic_us() - began_us) / 1000));
        wait_for_end(cx, &app, &signals);
    }
    stop(&app);
    return status;
}
