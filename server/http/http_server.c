#include "http/http_server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/queue.h"
#include "base/wallclock.h"
#include "http/http_server_internal.h"

#define IDLE_SECONDS 60
#define HANDLER_MS ((uint32_t)30 * 1000)
#define BODY_BYTES_TOTAL ((uint64_t)64 * 1024 * 1024)
#define ARENA_BYTES ((uint32_t)1024 * 1024)
#define CONNECTION_MEMORY_BYTES \
    ((size_t)48 * 1024) /* head 16 KiB, its parsed form, a read buffer */
#define ACCEPTS_PER_ROUND 64
#define SWEEP_MS 250
#define ACCEPT_PAUSE_US (10 * INT64_C(1000))
#define DRAIN_US                                                                    \
    (10 * US_PER_SECOND) /* for bodies and answers; running handlers are waited for \
                          */

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value == 0 ? fallback : value;
}

/* Must not return more than it got; the path is left as it came. */
static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

static void PRINTF_LIKE(2, 0) log_library(void *cls, const char *format, va_list args)
{
    char text[256];

    (void)cls;
    if (log_enabled(LOG_LEVEL_DEBUG)) {
        vsnprintf(text, sizeof text, format, args);
        log_debug(NULL, "libmicrohttpd says something", LOG_TEXT("says", text));
    }
}

static void on_connection(
    void *cls,
    struct MHD_Connection *mhd,
    void **socket_context,
    enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = cls;

    (void)mhd;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = server->accepting;
    } else if (*socket_context != NULL) {
        http_connection_remove(*socket_context);
        *socket_context = NULL;
    }
}

static struct status start_daemon(struct ctx *cx, struct http_server *server)
{
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG,
        0,
        NULL,
        NULL,
        http_exchange_access,
        server,
        MHD_OPTION_EXTERNAL_LOGGER,
        log_library,
        NULL,
        MHD_OPTION_STRICT_FOR_CLIENT,
        1,
        MHD_OPTION_CONNECTION_LIMIT,
        server->config.connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT,
        server->config.idle_seconds_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY_BYTES,
        MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes,
        NULL,
        MHD_OPTION_URI_LOG_CALLBACK,
        http_exchange_uri,
        server,
        MHD_OPTION_NOTIFY_COMPLETED,
        http_exchange_completed,
        server,
        MHD_OPTION_NOTIFY_CONNECTION,
        on_connection,
        server,
        MHD_OPTION_END);
    if (server->daemon == NULL) {
        return status_fail(cx, REASON_INTERNAL, "could not start the HTTP listener");
    }
    return STATUS_OK;
}

static void free_server(struct http_server **server)
{
    http_server_free(*server);
}

struct status http_server_new(
    struct ctx *cx,
    const struct http_server_config *config,
    const struct http_route *routes,
    size_t route_count,
    struct http_server **ret_server)
{
    AUTO(free_server) struct http_server *server = heap_new(sizeof *server);

    if (server == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    server->socket.fd = -1;
    server->socket.reserve_fd = -1;
    server->wake_fd = -1;
    server->config = *config;
    server->config.threads = or_default(config->threads, 1);
    server->config.connections_max = or_default(config->connections_max, 1);
    server->config.idle_seconds_max = or_default(config->idle_seconds_max, IDLE_SECONDS);
    server->config.arena_bytes_max = or_default(config->arena_bytes_max, ARENA_BYTES);
    server->config.handler_ms_max = or_default(config->handler_ms_max, HANDLER_MS);
    if (server->config.body_bytes_total_max == 0) {
        server->config.body_bytes_total_max = BODY_BYTES_TOTAL;
    }
    server->routes = routes;
    server->route_count = route_count;
    server->connections = heap_new(server->config.connections_max * sizeof server->connections[0]);
    server->workers = heap_new(server->config.threads * sizeof server->workers[0]);
    server->queue = queue_new(server->config.connections_max);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->connections == NULL || server->workers == NULL || server->queue == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    if (server->wake_fd < 0) {
        return status_fail(
            cx, REASON_INTERNAL, "could not start the HTTP listener: %s", strerrordesc_np(errno));
    }
    TRY(http_socket_listen(cx, config->listen, &server->socket));
    TRY(start_daemon(cx, server));
    *ret_server = TAKE(server);
    return STATUS_OK;
}

static void count_accept(const char *result)
{
    metric_add(metric_series(METRIC_LISTENER_ACCEPTS, (const char *const[]){"http", result}), 1);
}

static void take_connection(
    struct http_server *server, int fd, const struct sockaddr_storage *peer, socklen_t len)
{
    const char *result = NULL;

    server->accepting = http_connection_add(server, fd, peer, &result);
    if (server->accepting == NULL) {
        (void)close(fd);
    } else if (
        MHD_add_connection(server->daemon, fd, (const struct sockaddr *)peer, len) != MHD_YES) {
        /* It has closed the descriptor, and told us so when the connection had been started. */
        if (server->accepting->phase != HTTP_PHASE_FREE) {
            http_connection_remove(server->accepting);
        }
        result = "failed";
    }
    server->accepting = NULL;
    count_accept(result);
}

/* Returns when to accept again: now, or after a pause. */
static int64_t accept_some(struct http_server *server)
{
    for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = 0;
        int fd = -1;

        switch (http_socket_accept(&server->socket, &peer, &len, &fd)) {
        case HTTP_ACCEPT_OK:
            take_connection(server, fd, &peer, len);
            break;
        case HTTP_ACCEPT_NONE:
            return 0;
        case HTTP_ACCEPT_SHED:
            count_accept("refused_descriptors");
            break;
        case HTTP_ACCEPT_FAILED:
            count_accept("failed");
            return monotonic_us() + ACCEPT_PAUSE_US;
        }
    }
    return 0;
}

static int poll_timeout_ms(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG wanted_ms = SWEEP_MS;

    if (MHD_get_timeout(server->daemon, &wanted_ms) != MHD_YES || wanted_ms > SWEEP_MS) {
        return SWEEP_MS;
    }
    return (int)wanted_ms;
}

static int library_fd(struct http_server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static bool all_handled(const struct http_server *server)
{
    for (size_t i = 0; i < server->config.connections_max; i++) {
        if (server->connections[i].phase == HTTP_PHASE_HANDLING) {
            return false;
        }
    }
    return true;
}

/* One round: wait, accept, read, write, end what is over its time. */
static void run_once(struct http_server *server, int64_t *accept_at_us)
{
    const bool accepting = server->socket.fd >= 0 && monotonic_us() >= *accept_at_us;
    struct pollfd fds[] = {
        {.fd = library_fd(server), .events = POLLIN},
        {.fd = server->wake_fd, .events = POLLIN},
        {.fd = accepting ? server->socket.fd : -1, .events = POLLIN},
    };
    int timeout_ms = poll_timeout_ms(server);

    if (*accept_at_us != 0 && timeout_ms > 10) {
        timeout_ms = 10;
    }
    (void)poll(fds, ARRAY_LEN(fds), timeout_ms);
    if (fds[1].revents != 0) {
        eventfd_t count = 0;

        (void)eventfd_read(server->wake_fd, &count);
    }
    if (fds[2].revents != 0) {
        *accept_at_us = accept_some(server);
    }
    (void)MHD_run(server->daemon);
}

static void *run_loop(void *user)
{
    struct http_server *server = user;
    int64_t accept_at_us = 0;
    int64_t sweep_at_us = 0;
    int64_t drain_end_us = 0;

    for (;;) {
        const int64_t now_us = monotonic_us();
        const bool draining = atomic_load(&server->stopping);

        if (draining && drain_end_us == 0) {
            drain_end_us = now_us + DRAIN_US;
            http_socket_close(&server->socket);
        }
        if (draining || now_us >= sweep_at_us) {
            http_connection_sweep(server, draining, now_us);
            sweep_at_us = now_us + SWEEP_MS * INT64_C(1000);
        }
        if (draining && (server->connection_count == 0 || now_us > drain_end_us) &&
            all_handled(server)) {
            return NULL;
        }
        run_once(server, &accept_at_us);
    }
}

static void *run_worker(void *user)
{
    struct http_server *server = user;
    struct http_exchange *exchange = NULL;

    while ((exchange = queue_take(server->queue)) != NULL) {
        http_exchange_run(exchange);
    }
    return NULL;
}

/* Signals are for the main thread. */
static int start_threads(struct http_server *server)
{
    sigset_t all;
    sigset_t old;
    int error = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (error == 0 && server->workers_started < server->config.threads) {
        error = pthread_create(&server->workers[server->workers_started], NULL, run_worker, server);
        server->workers_started += error == 0;
    }
    if (error == 0) {
        error = pthread_create(&server->loop, NULL, run_loop, server);
        server->started = error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error;
}

struct status http_server_start(struct ctx *cx, struct http_server *server)
{
    const int error = start_threads(server);

    if (error != 0) {
        http_server_stop(server);
        return status_fail(
            cx, REASON_INTERNAL, "could not start the HTTP listener: %s", strerrordesc_np(error));
    }
    return STATUS_OK;
}

const char *http_server_address(const struct http_server *server)
{
    return server->socket.address;
}

void http_server_stop(struct http_server *server)
{
    atomic_store(&server->stopping, true);
    if (server->started) {
        (void)eventfd_write(server->wake_fd, 1);
        pthread_join(server->loop, NULL);
        server->started = false;
    }
    queue_close(server->queue);
    while (server->workers_started > 0) {
        pthread_join(server->workers[--server->workers_started], NULL);
    }
}

void http_server_free(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->queue != NULL) {
        http_server_stop(server);
    }
    if (server->daemon != NULL) {
        MHD_stop_daemon(server->daemon);
    }
    http_socket_close(&server->socket);
    if (server->wake_fd >= 0) {
        (void)close(server->wake_fd);
    }
    queue_free(server->queue);
    heap_free(server->workers);
    heap_free(server->connections);
    heap_free(server);
}
