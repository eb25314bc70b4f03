#pragma once

/* What the files of the listener share. One thread, the loop, owns the socket, libmicrohttpd and
 * all connections; handlers run on the workers, and what they are given comes back to the loop
 * through MHD_resume_connection(). */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/http_server.h"
#include "http/http_socket.h"

struct queue;

/* Where a connection stands; what may take how long in each is in http_connection.c. */
enum http_phase {
    HTTP_PHASE_FREE,
    HTTP_PHASE_HEAD,     /* waits for the first or the next request, or for the rest of its head */
    HTTP_PHASE_BODY,     /* the body comes in */
    HTTP_PHASE_HANDLING, /* suspended; the request is queued or a handler runs */
    HTTP_PHASE_SENDING,  /* the answer goes out */
    HTTP_PHASE_REFUSED,  /* 413 was said in the middle of a body; what still comes is thrown away */
    HTTP_PHASE_CUT,      /* ended by us; libmicrohttpd closes it soon */
};

struct http_connection {
    struct http_server *server;
    struct http_exchange *exchange; /* owned; NULL between requests */
    struct sockaddr_storage peer;
    int fd;
    enum http_phase phase;
    int64_t since_us;    /* begin of the phase, monotonic */
    int64_t deadline_us; /* end of the phase at the latest */
    size_t received;     /* bytes of the body */
};

/* One request and its answer. */
struct http_exchange {
    struct http_server *server;
    struct http_connection *connection;
    struct MHD_Connection *mhd;
    const struct http_route *route;
    const char *path;
    const char *query;
    unsigned refusal; /* status that is known before the body is; 0: none */
    bool begun;
    bool dispatched;
    struct buf body;
    size_t body_counted; /* in server->body_bytes */
    int64_t deadline_us; /* of the handler, monotonic */
    struct http_request request;
    struct arena arena; /* the answer's body lies here until it is sent */
    struct MHD_Response *reply;
    unsigned reply_status;
    size_t reply_bytes;
    _Atomic bool done; /* set by the worker, last */
    char uri[];        /* path and query point here */
};

struct http_server {
    struct http_server_config config;
    const struct http_route *routes;
    size_t route_count;
    struct http_socket socket;
    struct MHD_Daemon *daemon;
    struct queue *queue; /* of exchanges, for the workers */
    int wake_fd;
    pthread_t loop;
    pthread_t *workers;
    uint32_t workers_started;
    bool started;
    _Atomic bool stopping;

    /* of the loop */
    struct http_connection *connections; /* connections_max of them */
    struct http_connection *accepting;   /* given to libmicrohttpd at this moment */
    size_t connection_count;
    size_t body_bytes; /* of all requests that are being received or handled */
};

/* http_connection.c */

/* NULL with *ret_result when there is no room for it. */
struct http_connection *http_connection_add(
    struct http_server *server,
    int fd,
    const struct sockaddr_storage *peer,
    const char **ret_result);
void http_connection_remove(struct http_connection *connection);
void http_connection_enter(struct http_connection *connection, enum http_phase phase);

/* Ends every connection that is over its time; when draining, also those that have no request. */
void http_connection_sweep(struct http_server *server, bool draining, int64_t now_us);
void http_connection_cut(struct http_connection *connection);

/* http_head.c */

struct http_head {
    bool has_body;
    uint64_t body_len; /* as declared; 0 when the body comes in chunks */
};

/* 0, or the status to refuse with: lengths, numbers and framing of the head. */
unsigned
http_head_read(const struct http_exchange *exchange, struct http_head *ret_head) MUST_CHECK;

/* Finds the route; 0, or 404 or 405. */
unsigned http_head_route(struct http_exchange *exchange, const char *method) MUST_CHECK;

/* The methods of the path, for the header Allow. */
void http_head_allowed(const struct http_exchange *exchange, char *text, size_t size);

/* http_exchange.c: the call-backs of libmicrohttpd, cls is the server */

void *http_exchange_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_exchange_access(
    void *cls,
    struct MHD_Connection *mhd,
    const char *url,
    const char *method,
    const char *version,
    const char *upload_data,
    size_t *upload_data_size,
    void **slot);
void http_exchange_completed(
    void *cls, struct MHD_Connection *mhd, void **slot, enum MHD_RequestTerminationCode code);
void http_exchange_free(struct http_exchange *exchange);

/* Calls the handler; on a worker. The exchange belongs to the loop again afterwards. */
void http_exchange_run(struct http_exchange *exchange);

/* http_reply.c */

/* NULL without memory, or when a header of the handler is not one. The body is borrowed until the
 * answer is destroyed. */
struct MHD_Response *http_reply_new(const struct http_response *response) MUST_CHECK;

/* The answer that we give ourselves. */
struct MHD_Response *http_reply_of_status(unsigned status, const char *allow) MUST_CHECK;
const char *http_reply_text(unsigned status);
