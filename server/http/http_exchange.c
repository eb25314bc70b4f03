#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/queue.h"
#include "http/http_server_internal.h"

#define REQUEST_ID_BYTES_MAX 128

void *http_exchange_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *connection = info->socket_context;
    const size_t len = uri == NULL ? 0 : strlen(uri);
    struct http_exchange *exchange = heap_new(sizeof *exchange + len + 1);
    char *question = NULL;

    if (exchange == NULL) {
        return NULL; /* http_exchange_access() closes the connection */
    }
    exchange->server = cls;
    exchange->connection = connection;
    exchange->mhd = mhd;
    if (len > 0) {
        memcpy(exchange->uri, uri, len);
    }
    question = strchr(exchange->uri, '?');
    exchange->path = exchange->uri;
    exchange->query = question == NULL ? "" : question + 1;
    if (question != NULL) {
        *question = '\0';
    }
    http_exchange_free(connection->exchange);
    connection->exchange = exchange;
    return exchange;
}

void http_exchange_free(struct http_exchange *exchange)
{
    if (exchange == NULL) {
        return;
    }
    exchange->server->body_bytes -= exchange->body_counted;
    if (exchange->reply != NULL) {
        MHD_destroy_response(exchange->reply);
    }
    buf_release(&exchange->body);
    arena_release(&exchange->arena);
    heap_free(exchange);
}

void http_exchange_completed(
    void *cls, struct MHD_Connection *mhd, void **slot, enum MHD_RequestTerminationCode code)
{
    struct http_exchange *exchange = *slot;

    (void)cls;
    (void)mhd;
    (void)code;
    *slot = NULL;
    if (exchange == NULL) {
        return;
    }
    exchange->connection->exchange = NULL;
    if (exchange->connection->phase != HTTP_PHASE_CUT) {
        http_connection_enter(exchange->connection, HTTP_PHASE_HEAD);
    }
    http_exchange_free(exchange);
}

/* Owns the reply. */
static enum MHD_Result
send_reply(struct http_exchange *exchange, struct MHD_Response *reply, unsigned status)
{
    enum MHD_Result result = MHD_NO;

    if (reply == NULL) {
        return MHD_NO; /* no memory, or the handler wants it so: closes the connection */
    }
    if (atomic_load(&exchange->server->stopping)) {
        (void)MHD_add_response_header(reply, "Connection", "close");
    }
    if (exchange->connection->phase != HTTP_PHASE_CUT) {
        http_connection_enter(exchange->connection, HTTP_PHASE_SENDING);
    }
    result = MHD_queue_response(exchange->mhd, status, reply);
    MHD_destroy_response(reply);
    return result;
}

static enum MHD_Result send_status(struct http_exchange *exchange, unsigned status)
{
    char allow[128] = "";

    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        http_head_allowed(exchange, allow, sizeof allow);
    }
    return send_reply(exchange, http_reply_of_status(status, allow), status);
}

static bool body_fits(const struct http_exchange *exchange, size_t len)
{
    const struct http_server *server = exchange->server;

    return len <= server->config.body_bytes_total_max - server->body_bytes;
}

/* Behind the head, before the body: whatever can be refused is refused here. An answer now makes
 * libmicrohttpd close the connection afterwards, so without a body it waits for the next call. */
static enum MHD_Result begin(struct http_exchange *exchange, const char *method)
{
    struct http_head head = {0};
    unsigned refusal = http_head_read(exchange, &head);

    if (refusal != 0) {
        return send_status(exchange, refusal);
    }
    refusal = http_head_route(exchange, method);
    if (refusal == 0 && head.body_len > exchange->route->body_max) {
        refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    }
    if (refusal == 0 && !body_fits(exchange, (size_t)head.body_len)) {
        refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    if (refusal != 0 && head.has_body) {
        return send_status(exchange, refusal);
    }
    exchange->refusal = refusal;
    if (refusal == 0) {
        buf_init(&exchange->body, exchange->route->body_max);
        exchange->request.method = arena_text(&exchange->arena, method);
    }
    http_connection_enter(exchange->connection, HTTP_PHASE_BODY);
    return MHD_YES;
}

/* libmicrohttpd takes no answer in the middle of a body, so this one is written past it. What the
 * peer still sends is read for a moment: a close with unread bytes would be a reset, and the peer
 * might never see the answer. */
static void refuse_in_body(struct http_exchange *exchange, unsigned status)
{
    const char *text = http_reply_text(status);
    const char *reason =
        status == MHD_HTTP_CONTENT_TOO_LARGE ? "Content Too Large" : "Service Unavailable";
    char answer[256];
    const int len = snprintf(
        answer,
        sizeof answer,
        "HTTP/1.1 %u %s\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n\r\n%s",
        status,
        reason,
        strlen(text),
        text);
    const int fd = exchange->connection->fd;

    (void)send(fd, answer, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    http_connection_enter(exchange->connection, HTTP_PHASE_REFUSED);
}

static enum MHD_Result collect(struct http_exchange *exchange, const char *data, size_t *len)
{
    struct http_server *server = exchange->server;
    const size_t count = *len;

    *len = 0;
    exchange->connection->received += count;
    if (exchange->connection->phase != HTTP_PHASE_BODY) {
        return MHD_YES; /* refused: thrown away */
    }
    if (!body_fits(exchange, count)) {
        refuse_in_body(exchange, MHD_HTTP_SERVICE_UNAVAILABLE);
        return MHD_YES;
    }
    buf_add(&exchange->body, data, count);
    if (buf_failed(&exchange->body)) {
        refuse_in_body(
            exchange,
            count > exchange->body.max - exchange->body.len ? MHD_HTTP_CONTENT_TOO_LARGE
                                                            : MHD_HTTP_SERVICE_UNAVAILABLE);
        return MHD_YES;
    }
    server->body_bytes += count;
    exchange->body_counted += count;
    return MHD_YES;
}

static enum MHD_Result dispatch(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;

    if (exchange->connection->phase != HTTP_PHASE_BODY) {
        return MHD_NO; /* refused or cut: closes the connection */
    }
    if (exchange->refusal != 0) {
        return send_status(exchange, exchange->refusal);
    }
    exchange->request.path = exchange->path;
    exchange->request.query = exchange->query;
    exchange->request.body = (const uint8_t *)buf_cstr(&exchange->body);
    exchange->request.body_len = exchange->body.len;
    exchange->request.transport = exchange;
    exchange->deadline_us = deadline_in_ms(server->config.handler_ms_max);
    exchange->dispatched = true;
    http_connection_enter(exchange->connection, HTTP_PHASE_HANDLING);
    MHD_suspend_connection(exchange->mhd);
    if (!queue_put(server->queue, exchange)) {
        /* Cannot happen while the queue has room for every connection. */
        exchange->reply_status = MHD_HTTP_SERVICE_UNAVAILABLE;
        exchange->reply = http_reply_of_status(exchange->reply_status, NULL);
        atomic_store_explicit(&exchange->done, true, memory_order_release);
        MHD_resume_connection(exchange->mhd);
    }
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are those of libmicrohttpd. */
enum MHD_Result http_exchange_access(
    void *cls,
    struct MHD_Connection *mhd,
    const char *url,
    const char *method,
    const char *version,
    const char *upload_data,
    size_t *upload_data_size,
    void **slot)
{
    struct http_exchange *exchange = *slot;

    (void)cls;
    (void)mhd;
    (void)url;
    (void)version;
    if (exchange == NULL) {
        return MHD_NO;
    }
    if (!exchange->begun) {
        exchange->begun = true;
        arena_init(&exchange->arena, NULL, 0, exchange->server->config.arena_bytes_max);
        return begin(exchange, method);
    }
    if (exchange->dispatched) {
        if (!atomic_load_explicit(&exchange->done, memory_order_acquire)) {
            return MHD_YES;
        }
        return send_reply(exchange, TAKE(exchange->reply), exchange->reply_status);
    }
    return *upload_data_size > 0 ? collect(exchange, upload_data, upload_data_size)
                                 : dispatch(exchange);
}

const char *http_header(const struct http_request *request, const char *name)
{
    const struct http_exchange *exchange = request->transport;

    return MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
}

/* The peer's x-request-id when it is one that can stand in a log line. */
static const char *request_id(const struct http_request *request)
{
    const char *text = http_header(request, "X-Request-Id");
    size_t len = 0;

    if (text == NULL) {
        return "";
    }
    while (text[len] > ' ' && text[len] <= '~' && len <= REQUEST_ID_BYTES_MAX) {
        len++;
    }
    return text[len] == '\0' && len <= REQUEST_ID_BYTES_MAX ? text : "";
}

/* NULL when the handler gave no answer. */
static struct MHD_Response *
run_handler(struct ctx *cx, struct http_exchange *exchange, struct http_response *response)
{
    exchange->route->handler(cx, exchange->route->user, &exchange->request, response);
    if (response->drop || arena_failed(&exchange->arena) || response->status < 200 ||
        response->status > 599) {
        return NULL;
    }
    return http_reply_new(response);
}

void http_exchange_run(struct http_exchange *exchange)
{
    const struct http_server *server = exchange->server;
    struct http_response response = {0};
    unsigned status = MHD_HTTP_SERVICE_UNAVAILABLE; /* waited too long for a worker */
    struct MHD_Response *reply = NULL;
    struct ctx cx;

    ctx_init(&cx, &exchange->arena, exchange->route->path);
    cx.deadline_us = exchange->deadline_us;
    cx.request_id = request_id(&exchange->request);
    if (!ctx_gone(&cx)) {
        reply = run_handler(&cx, exchange, &response);
        status = reply == NULL ? MHD_HTTP_INTERNAL_SERVER_ERROR : (unsigned)response.status;
    }
    if (reply == NULL && !response.drop) {
        log_error(&cx, "an HTTP request got no answer of its handler", LOG_I64("status", status));
        reply = http_reply_of_status(status, NULL);
    }
    exchange->reply = reply; /* NULL: the connection is closed */
    exchange->reply_status = status;
    exchange->reply_bytes = response.body_len;
    atomic_store_explicit(&exchange->done, true, memory_order_release);
    MHD_resume_connection(exchange->mhd);
    /* The exchange belongs to the loop from here on. libmicrohttpd's own wake-up can be swallowed
     * by a round that has looked for resumed connections already and clears it at its end. */
    (void)eventfd_write(server->wake_fd, 1);
}
