#include "rpc/rpc_server.h"

#include <grpc/grpc_security.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "base/wallclock.h"
#include "rpc/rpc_address.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_core_args.h"
#include "rpc/rpc_descriptors.h"
#include "rpc/rpc_drain.h"
#include "rpc/rpc_health.h"
#include "rpc/rpc_listener.h"
#include "rpc/rpc_peers.h"
#include "rpc/rpc_reflection.h"
#include "rpc/rpc_server_internal.h"
#include "rpc/rpc_tls.h"

#define TEXTS_BYTES_MAX ((size_t)64 * 1024)
#define TICK_MS 500
#define CALLS_POSTED 8 /* more of them cost more instructions: the core searches them */

/* --- configuration -------------------------------------------------------------------------------
 */

static void default_to(uint32_t *value, uint32_t standard)
{
    if (*value == 0) {
        *value = standard;
    }
}

static void fill_in(struct rpc_server_config *config)
{
    for (int i = 0; i < RPC_LANE_COUNT; i++) {
        default_to(&config->workers[i], RPC_DEFAULT_WORKERS);
        default_to(&config->queue_max[i], RPC_DEFAULT_QUEUE_MAX);
    }
    default_to(&config->connections_max, RPC_DEFAULT_CONNECTIONS_MAX);
    default_to(&config->connections_per_peer_max, RPC_DEFAULT_CONNECTIONS_PER_PEER_MAX);
    default_to(&config->streams_per_connection_max, RPC_DEFAULT_STREAMS_PER_CONNECTION_MAX);
    default_to(&config->request_bytes_max, RPC_DEFAULT_REQUEST_BYTES_MAX);
    default_to(&config->metadata_bytes_max, RPC_DEFAULT_METADATA_BYTES_MAX);
    default_to(&config->arena_bytes_max, RPC_DEFAULT_ARENA_BYTES_MAX);
    default_to(&config->deadline_ms_default, RPC_DEFAULT_DEADLINE_MS);
    default_to(&config->keepalive_ms, RPC_DEFAULT_KEEPALIVE_MS);
    default_to(&config->keepalive_timeout_ms, RPC_DEFAULT_KEEPALIVE_TIMEOUT_MS);
    default_to(&config->idle_connection_ms_max, RPC_DEFAULT_IDLE_CONNECTION_MS);
    default_to(&config->connection_age_ms_max, RPC_DEFAULT_CONNECTION_AGE_MS);
    default_to(&config->drain_ms_max, RPC_DEFAULT_DRAIN_MS);
    default_to(&config->streams_max, RPC_DEFAULT_STREAMS_MAX);
    default_to(&config->stream_workers, RPC_DEFAULT_STREAM_WORKERS);
    default_to(&config->stream_stall_ms_max, RPC_DEFAULT_STREAM_STALL_MS);
}

static const char *text_or_empty(struct rpc_server *server, const char *text)
{
    return arena_text(&server->arena, text == NULL ? "" : text);
}

static struct status
take_config(struct ctx *cx, struct rpc_server *server, const struct rpc_server_config *config)
{
    struct rpc_address address;
    bool has_cert = false;
    bool has_key = false;

    server->config = *config;
    server->config.listen = text_or_empty(server, config->listen);
    server->config.tls_cert_file = text_or_empty(server, config->tls_cert_file);
    server->config.tls_key_file = text_or_empty(server, config->tls_key_file);
    fill_in(&server->config);
    has_cert = *server->config.tls_cert_file != '\0';
    has_key = *server->config.tls_key_file != '\0';
    if (has_cert != has_key) {
        return status_field(
            cx,
            has_cert ? "tls_key_file" : "tls_cert_file",
            "a certificate and a key belong together");
    }
    TRY(rpc_address_parse(cx, server->config.listen, &address));
    if (!has_cert && !config->allow_insecure && !rpc_address_is_local(&address)) {
        return status_field(
            cx,
            "listen",
            "\"%s\" can be reached from outside: name a certificate and a key, or allow plain text",
            server->config.listen);
    }
    return STATUS_OK;
}

/* --- life ----------------------------------------------------------------------------------------
 */

static void server_tick(void *data)
{
    struct rpc_server *server = data;
    const int64_t now_us = monotonic_us();

    rpc_request_ids_refresh(&server->request_ids, wallclock_us());
    rpc_call_tick(server, now_us);
    rpc_stream_tick(server, now_us);
}

static void server_begins(void *owner, bool ok)
{
    (void)ok;
    for (int i = 0; i < CALLS_POSTED; i++) {
        rpc_call_post(owner);
    }
}

static void health_changed(void *owner, bool ok)
{
    struct rpc_server *server = owner;

    (void)ok;
    atomic_store(&server->health_changed, false);
    rpc_stream_post_all(server, server->health_watch, RPC_STREAM_WOKEN);
}

static void drain_begins(void *owner, bool ok)
{
    struct rpc_server *server = owner;

    (void)ok;
    atomic_store(&server->draining, true);
    rpc_stream_post_all(server, /* entry= */ NULL, RPC_STREAM_DRAIN);
}

static void core_stopped(void *owner, bool ok)
{
    struct rpc_server *server = owner;

    (void)ok;
    sem_post(&server->core_stopped);
}

static struct status build_index(struct ctx *cx, struct rpc_server *server)
{
    const struct rpc_method_table *table = server->table;
    const struct rpc_method_table *tables[] = {
        table, &server->health_table, &server->reflection_table};
    const struct str set = {(const char *)table->descriptor_set, table->descriptor_set_len};
    const size_t count = server->config.reflection ? ARRAY_LEN(tables) : ARRAY_LEN(tables) - 1;

    TRY(rpc_descriptors_new(cx, set, &server->descriptors));
    TRY(rpc_health_new(cx, server->descriptors, &server->health));
    server->health_table = rpc_health_table(server->health);
    server->reflection_table = rpc_reflection_table(server->descriptors);
    TRY(rpc_method_index_new(cx, tables, count, server->descriptors, &server->index));
    server->health_watch = rpc_method_index_find(server->index, STR(RPC_HEALTH_WATCH));
    return STATUS_OK;
}

static struct status build_lanes(struct ctx *cx, struct rpc_server *server)
{
    const struct rpc_server_config *config = &server->config;

    TRY(rpc_workers_new(
        cx,
        "database",
        config->workers[RPC_LANE_DATABASE],
        config->queue_max[RPC_LANE_DATABASE],
        &server->lanes[RPC_LANE_DATABASE]));
    TRY(rpc_workers_new(
        cx,
        "payment",
        config->workers[RPC_LANE_PAYMENT],
        config->queue_max[RPC_LANE_PAYMENT],
        &server->lanes[RPC_LANE_PAYMENT]));
    return rpc_workers_new(
        cx, "stream", config->stream_workers, config->streams_max, &server->lanes[RPC_LANE_STREAM]);
}

static struct status
build(struct ctx *cx, struct rpc_server *server, const struct rpc_server_config *config)
{
    TRY(take_config(cx, server, config));
    TRY(build_index(cx, server));
    TRY(build_lanes(cx, server));
    TRY(rpc_poller_new(cx, &server->poller));
    if (*server->config.tls_cert_file != '\0') {
        return rpc_tls_new(
            cx, server->config.tls_cert_file, server->config.tls_key_file, &server->tls);
    }
    return rpc_peers_new(
        cx,
        server->config.connections_max,
        server->config.connections_per_peer_max,
        &server->peers);
}

struct status rpc_server_new(
    struct ctx *cx,
    const struct rpc_server_config *config,
    const struct rpc_method_table *table,
    struct rpc_server **ret_server)
{
    struct rpc_server *server = heap_new(sizeof *server);
    struct status status;

    if (server == NULL) {
        return status_fail(cx, REASON_INTERNAL, "no memory for the server");
    }
    rpc_core_init();
    arena_init(&server->arena, NULL, 0, TEXTS_BYTES_MAX);
    sem_init(&server->core_stopped, /* pshared= */ 0, 0);
    rpc_request_ids_init(&server->request_ids, wallclock_us());
    server->table = table;
    server->inflight = metric_series(METRIC_RPC_INFLIGHT, NULL);
    rpc_event_init(&server->on_start, server_begins, server);
    rpc_event_init(&server->on_health, health_changed, server);
    rpc_event_init(&server->on_drain, drain_begins, server);
    rpc_event_init(&server->on_core_stopped, core_stopped, server);
    status = build(cx, server, config);
    if (status.code != CODE_OK) {
        rpc_server_free(server);
        return status;
    }
    *ret_server = server;
    return STATUS_OK;
}

void rpc_server_free(struct rpc_server *server)
{
    if (server == NULL) {
        return;
    }
    rpc_server_stop(server);
    rpc_listener_free(server->listener);
    if (server->poller != NULL) {
        rpc_poller_stop(server->poller);
    }
    for (int i = 0; i < RPC_LANES; i++) {
        rpc_workers_free(server->lanes[i]);
    }
    if (server->core != NULL) {
        grpc_server_destroy(server->core);
    }
    rpc_poller_free(server->poller);
    rpc_call_pool_release(&server->calls);
    rpc_tls_free(server->tls);
    rpc_peers_free(server->peers);
    rpc_method_index_free(server->index);
    rpc_health_free(server->health);
    rpc_descriptors_free(server->descriptors);
    sem_destroy(&server->core_stopped);
    arena_release(&server->arena);
    heap_free(server);
    grpc_shutdown();
}

/* --- starting ------------------------------------------------------------------------------------
 */

static void create_core(struct rpc_server *server)
{
    struct rpc_core_args args;

    rpc_core_args_init(
        &args,
        &server->config,
        rpc_method_index_request_bytes_max(server->index, server->config.request_bytes_max),
        /* core_accepts= */ server->tls != NULL);
    server->core = grpc_server_create(&args.args, NULL);
    grpc_server_register_completion_queue(server->core, rpc_poller_queue(server->poller), NULL);
}

/* The core's own listener: connections that it does not open itself cannot have TLS. */
static struct status
open_tls(struct ctx *cx, struct rpc_server *server, struct rpc_address *address)
{
    const char *wanted = rpc_address_text(cx, address);
    const int port =
        grpc_server_add_http2_port(server->core, wanted, rpc_tls_credentials(server->tls));

    if (port == 0) {
        return status_field(cx, "listen", "could not listen on %s", wanted);
    }
    rpc_address_set_port(address, (uint16_t)port);
    server->address = arena_text(&server->arena, rpc_address_text(cx, address));
    return STATUS_OK;
}

static struct status open_port(struct ctx *cx, struct rpc_server *server)
{
    const struct rpc_peers_life life = {
        .idle_us_max = (int64_t)server->config.idle_connection_ms_max * 1000,
        .age_us_max = (int64_t)server->config.connection_age_ms_max * 1000,
    };
    struct rpc_address address;
    const char *text = NULL;

    TRY(rpc_address_parse(cx, server->config.listen, &address));
    if (server->tls != NULL) {
        return open_tls(cx, server, &address);
    }
    TRY(rpc_listener_new(
        cx, &address, server->peers, life, server->core, &server->listener, &text));
    server->address = arena_text(&server->arena, text);
    return STATUS_OK;
}

static struct status start_lanes(struct ctx *cx, struct rpc_server *server)
{
    for (int i = RPC_LANE_INLINE + 1; i < RPC_LANES; i++) {
        TRY(rpc_workers_start(cx, server->lanes[i]));
    }
    return STATUS_OK;
}

struct status rpc_server_start(struct ctx *cx, struct rpc_server *server)
{
    struct status status = STATUS_OK;

    create_core(server);
    TRY(start_lanes(cx, server));
    TRY(rpc_poller_start(cx, server->poller, TICK_MS, server_tick, server));
    TRY(open_port(cx, server));
    grpc_server_start(server->core);
    server->running = true;
    atomic_store(&server->posts_wanted, true);
    if (!rpc_poller_post(server->poller, &server->on_start)) {
        status = status_fail(cx, REASON_INTERNAL, "no memory for the first calls");
    }
    if (status.code == CODE_OK && server->listener != NULL) {
        status = rpc_listener_start(cx, server->listener);
    }
    if (status.code != CODE_OK) {
        rpc_server_stop(server);
    }
    return status;
}

const char *rpc_server_address(const struct rpc_server *server)
{
    return server->address;
}

/* --- while it runs -------------------------------------------------------------------------------
 */

static void tell_watchers(struct rpc_server *server)
{
    atomic_fetch_add(&server->posters, 1); /* the polling thread does not end meanwhile */
    if (atomic_load(&server->posts_wanted) && !atomic_exchange(&server->health_changed, true) &&
        !rpc_poller_post(server->poller, &server->on_health)) {
        atomic_store(&server->health_changed, false);
    }
    atomic_fetch_sub(&server->posters, 1);
}

void rpc_server_health(struct rpc_server *server, const char *service, bool serving)
{
    if (serving && atomic_load(&server->draining)) {
        return;
    }
    if (rpc_health_set(server->health, service, serving)) {
        tell_watchers(server);
    }
}

struct status rpc_server_reload_tls(struct ctx *cx, struct rpc_server *server)
{
    if (server->tls == NULL) {
        return status_field(cx, "tls_cert_file", "this server speaks plain text");
    }
    return rpc_tls_reload(cx, server->tls);
}

void rpc_server_stop(struct rpc_server *server)
{
    if (server->running) {
        server->running = false;
        rpc_drain(server);
    }
}
