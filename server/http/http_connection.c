#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "http/http_server_internal.h"

/* libmicrohttpd's own time-out starts anew with every byte, so that a peer could send one byte a
 * minute for ever. These do not. */
#define FIRST_HEAD_US (10 * US_PER_SECOND)
#define BODY_GRACE_US (5 * US_PER_SECOND)
#define BODY_BYTES_PER_SECOND_MIN 1024
#define SEND_GRACE_US (30 * US_PER_SECOND)
#define SEND_BYTES_PER_SECOND_MIN 1024
#define REFUSED_US (1 * US_PER_SECOND)

/* IPv4 peers are counted by address, IPv6 peers by their /64: whoever has one such address has the
 * others too. */
static bool same_peer(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family) {
        return false;
    }
    if (a->ss_family == AF_INET) {
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    }
    return a->ss_family == AF_INET6 && memcmp(
                                           &((const struct sockaddr_in6 *)a)->sin6_addr,
                                           &((const struct sockaddr_in6 *)b)->sin6_addr,
                                           8) == 0;
}

static size_t count_of_peer(const struct http_server *server, const struct sockaddr_storage *peer)
{
    size_t count = 0;

    for (size_t i = 0; i < server->config.connections_max; i++) {
        const struct http_connection *one = &server->connections[i];

        count += one->phase != HTTP_PHASE_FREE && same_peer(&one->peer, peer);
    }
    return count;
}

static struct http_connection *find_free(const struct http_server *server)
{
    for (size_t i = 0; i < server->config.connections_max; i++) {
        if (server->connections[i].phase == HTTP_PHASE_FREE) {
            return &server->connections[i];
        }
    }
    return NULL;
}

static struct metric_series *open_connections(void)
{
    return metric_series(METRIC_LISTENER_CONNECTIONS, (const char *const[]){"http"});
}

struct http_connection *http_connection_add(
    struct http_server *server,
    int fd,
    const struct sockaddr_storage *peer,
    const char **ret_result)
{
    const uint32_t peer_max = server->config.connections_per_peer_max;
    struct http_connection *connection = find_free(server);

    if (connection == NULL) {
        *ret_result = "refused_full";
        return NULL;
    }
    if (peer_max != 0 && count_of_peer(server, peer) >= peer_max) {
        *ret_result = "refused_peer";
        return NULL;
    }
    *connection = (struct http_connection){.server = server, .fd = fd, .peer = *peer};
    http_connection_enter(connection, HTTP_PHASE_HEAD);
    connection->deadline_us = connection->since_us + FIRST_HEAD_US;
    server->connection_count++;
    metric_add(open_connections(), 1);
    *ret_result = "accepted";
    return connection;
}

void http_connection_remove(struct http_connection *connection)
{
    struct http_server *server = connection->server;

    http_exchange_free(connection->exchange);
    *connection = (struct http_connection){.fd = -1};
    server->connection_count--;
    metric_add(open_connections(), -1);
}

void http_connection_enter(struct http_connection *connection, enum http_phase phase)
{
    const int64_t now_us = monotonic_us();

    connection->phase = phase;
    connection->since_us = now_us;
    switch (phase) {
    case HTTP_PHASE_HEAD:
        connection->deadline_us =
            now_us + (int64_t)connection->server->config.idle_seconds_max * US_PER_SECOND;
        break;
    case HTTP_PHASE_BODY:
        connection->received = 0;
        connection->deadline_us = INT64_MAX;
        break;
    case HTTP_PHASE_SENDING:
        connection->deadline_us =
            now_us + SEND_GRACE_US +
            (int64_t)(connection->exchange->reply_bytes / SEND_BYTES_PER_SECOND_MIN) *
                US_PER_SECOND;
        break;
    case HTTP_PHASE_REFUSED:
        connection->deadline_us = now_us + REFUSED_US;
        break;
    case HTTP_PHASE_HANDLING: /* the handler has its own deadline */
    case HTTP_PHASE_FREE:
    case HTTP_PHASE_CUT:
        connection->deadline_us = INT64_MAX;
        break;
    }
}

void http_connection_cut(struct http_connection *connection)
{
    /* libmicrohttpd reads the end, tells us that the connection is closed, and closes it. */
    (void)shutdown(connection->fd, SHUT_RDWR);
    http_connection_enter(connection, HTTP_PHASE_CUT);
}

static bool body_is_slow(const struct http_connection *connection, int64_t now_us)
{
    const int64_t counted_us = now_us - connection->since_us - BODY_GRACE_US;

    return counted_us > 0 &&
           (int64_t)connection->received < counted_us / US_PER_SECOND * BODY_BYTES_PER_SECOND_MIN;
}

static bool is_over(const struct http_connection *connection, int64_t now_us)
{
    if (connection->phase == HTTP_PHASE_BODY && body_is_slow(connection, now_us)) {
        return true;
    }
    return now_us > connection->deadline_us;
}

void http_connection_sweep(struct http_server *server, bool draining, int64_t now_us)
{
    for (size_t i = 0; i < server->config.connections_max; i++) {
        struct http_connection *one = &server->connections[i];

        if (one->phase != HTTP_PHASE_FREE &&
            (is_over(one, now_us) || (draining && one->phase == HTTP_PHASE_HEAD))) {
            http_connection_cut(one);
        }
    }
}
