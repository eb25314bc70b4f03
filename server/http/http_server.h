#pragma once

/* An HTTP/1.1 listener on libmicrohttpd: routes by method and path prefix, collects the body up to
 * the maximum of the route, calls the handler on one of its threads (handlers may block), sends one
 * answer. Knows connections and bodies, nothing about billing.
 *
 * Threads: one loop accepts, and drives libmicrohttpd by its epoll descriptor; `threads` workers
 * run handlers while their connection is suspended, so a handler that waits for the database holds
 * up no other connection. Without descriptors connections are shed, and the listener goes on.
 *
 * Limits beside those of the config: head 16 KiB and 64 fields (431), URI 8 KiB (414), the first
 * head 10 s after the connection, a body at 1 KiB/s after 5 s, an answer read at 1 KiB/s after
 * 30 s. One framing header only: two lengths, or a length and an encoding, are refused (400).
 * HEAD is answered by the routes of GET. Every answer says "X-Content-Type-Options: nosniff". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"

struct http_server;

struct http_request {
    const char *method;  /* "POST" */
    const char *path;    /* without the query, percent-decoded never */
    const char *query;   /* raw, without "?"; "" when there is none */
    const uint8_t *body; /* the raw bytes, NUL-terminated behind body_len for convenience */
    size_t body_len;
    const void *transport; /* for http_header() */
};

struct http_response {
    int status;               /* 200 */
    const char *content_type; /* borrowed or in the arena */
    const void *body;         /* in the arena, or static */
    size_t body_len;
    struct {
        const char *name;
        const char *value;
    } headers[8];
    size_t header_count;
    bool drop; /* close the connection without an answer; the rest is ignored */
};

/* The value of a request header, or NULL. Case-insensitive. */
const char *http_header(const struct http_request *request, const char *name);

/* cx has an arena of its own and a deadline; fill *response (zeroed before). */
typedef void (*http_handler_fn)(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response);

struct http_route {
    const char *method; /* "GET", "POST", "*" for any */
    const char *path;   /* exact, or a prefix when it ends in '*': "/webhooks/stripe/" "*" */
    size_t body_max;    /* over it: 413, and the handler is not called */
    http_handler_fn handler;
    void *user;
};

struct http_server_config {
    const char *listen; /* "127.0.0.1:8080"; port 0 picks a free one */
    uint32_t threads;   /* each runs handlers */
    uint32_t connections_max;
    uint32_t connections_per_peer_max; /* by IPv4 address or IPv6 /64; 0: no limit */
    uint32_t idle_seconds_max;         /* between requests; 0: 60 */
    uint32_t arena_bytes_max;          /* per request; 0: 1 MiB */
    uint32_t handler_ms_max; /* deadline of a handler, its wait for a thread included; 0: 30 s */
    uint64_t body_bytes_total_max; /* bodies of all requests together, over it 503; 0: 64 MiB */
};

/* Routes are borrowed and must outlive the server. First match wins; none: 404, other method: 405.
 */
struct status http_server_new(
    struct ctx *cx,
    const struct http_server_config *config,
    const struct http_route *routes,
    size_t route_count,
    struct http_server **ret_server) MUST_CHECK;
struct status http_server_start(struct ctx *cx, struct http_server *server) MUST_CHECK;
const char *http_server_address(const struct http_server *server);

/* Stops accepting, finishes running requests, joins. */
void http_server_stop(struct http_server *server);
void http_server_free(struct http_server *server);
