#pragma once

/* The gRPC door: serves a method table over HTTP/2 with gRPC C core.
 * One completion queue and one polling thread (INLINE methods run there), bounded lanes of workers,
 * own accept loop with a connection limit, server reflection (v1, v1alpha), grpc.health.v1.
 * With TLS the core accepts by itself: then the connection limits do not hold (a front keeps them),
 * and when it has once run out of descriptors it accepts no more (the watchdog sees that). Signals
 * that main waits for must be blocked before rpc_server_new(): gRPC starts threads there.
 * Thread-safe where it says so. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "rpc/rpc_method.h"

struct rpc_server;

struct rpc_server_config {
    const char *listen; /* "127.0.0.1:9090", "[::1]:0", "unix:/path"; port 0 picks a free one */
    const char *tls_cert_file; /* both or neither; "" = plain text */
    const char *tls_key_file;
    bool allow_insecure; /* plain text on an address that is not loopback or a unix socket */
    uint32_t workers[RPC_LANE_COUNT];   /* of INLINE: ignored */
    uint32_t queue_max[RPC_LANE_COUNT]; /* waiting calls per lane; over it SERVER_OVERLOADED */
    uint32_t connections_max;
    uint32_t connections_per_peer_max; /* not of loopback and unix sockets: a front stands there */
    uint32_t streams_per_connection_max; /* concurrent HTTP/2 streams */
    uint32_t request_bytes_max;          /* default of methods that name none */
    uint32_t metadata_bytes_max;
    uint32_t arena_bytes_max;     /* per call */
    uint32_t deadline_ms_default; /* of unary calls without a deadline */
    uint32_t keepalive_ms;
    uint32_t keepalive_timeout_ms;
    uint32_t idle_connection_ms_max;
    uint32_t connection_age_ms_max; /* then GOAWAY; its calls finish */
    uint32_t drain_ms_max;          /* finish running calls within */
    bool reflection;
    uint32_t streams_max;         /* open at once; 0: 10,000; over it SERVER_OVERLOADED */
    uint32_t stream_workers;      /* run next() of the streams; 0: 2 */
    uint32_t stream_stall_ms_max; /* a message that nobody reads; 0: 30,000; then cut off */
};

/* Everything that is a number in the config may be 0: then it is the default below. */
#define RPC_DEFAULT_WORKERS 4
#define RPC_DEFAULT_QUEUE_MAX 256
#define RPC_DEFAULT_CONNECTIONS_MAX 10000
#define RPC_DEFAULT_CONNECTIONS_PER_PEER_MAX 64
#define RPC_DEFAULT_STREAMS_PER_CONNECTION_MAX 100
#define RPC_DEFAULT_REQUEST_BYTES_MAX (256 * 1024)
#define RPC_DEFAULT_METADATA_BYTES_MAX (16 * 1024)
#define RPC_DEFAULT_ARENA_BYTES_MAX (8 * 1024 * 1024)
#define RPC_DEFAULT_DEADLINE_MS 10000
#define RPC_DEFAULT_KEEPALIVE_MS 60000
#define RPC_DEFAULT_KEEPALIVE_TIMEOUT_MS 20000
#define RPC_DEFAULT_IDLE_CONNECTION_MS 300000
#define RPC_DEFAULT_CONNECTION_AGE_MS 1800000
#define RPC_DEFAULT_DRAIN_MS 30000
#define RPC_DEFAULT_STREAMS_MAX 10000
#define RPC_DEFAULT_STREAM_WORKERS 2
#define RPC_DEFAULT_STREAM_STALL_MS 30000

/* Checks the table against the descriptor set. cx only carries the error. Fails with INTERNAL (a
 * row that does not fit) or FIELD_INVALID (an address, a file). Owned by the caller. */
struct status rpc_server_new(
    struct ctx *cx,
    const struct rpc_server_config *config,
    const struct rpc_method_table *table,
    struct rpc_server **ret_server) MUST_CHECK;

/* Opens the listener and starts the threads; from here on calls are answered. */
struct status rpc_server_start(struct ctx *cx, struct rpc_server *server) MUST_CHECK;

/* "127.0.0.1:41234": what the listener is bound to. */
const char *rpc_server_address(const struct rpc_server *server);

/* Health of one service, or of all with service = "". Nothing serves until somebody says so; a
 * service that is not in the descriptor set is passed over. Wakes the watchers. Thread-safe. */
void rpc_server_health(struct rpc_server *server, const char *service, bool serving);

/* Reads the certificate files again for new connections; keeps the old ones when they do not parse.
 * Thread-safe. */
struct status rpc_server_reload_tls(struct ctx *cx, struct rpc_server *server) MUST_CHECK;

/* Graceful: NOT_SERVING, no new connections, streams end with SERVER_SHUTTING_DOWN, running calls
 * finish, GOAWAY; what is left after drain_ms_max is cancelled. Returns when every thread is
 * joined. */
void rpc_server_stop(struct rpc_server *server);

/* Takes NULL; stops first. */
void rpc_server_free(struct rpc_server *server);

/* For tests and for other doors: runs one unary method of the table on the calling thread (which
 * may block). The bytes are of the input message; the answer lies in the arena of cx. */
struct status rpc_call_bytes(
    struct ctx *cx,
    const struct rpc_method_table *table,
    const struct rpc_method *method,
    const char *authorization,
    struct str request,
    struct str *ret_response) MUST_CHECK;
