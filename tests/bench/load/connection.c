#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"
#include "monotonic.h"

enum {
    READ_BYTES = 128 << 10,
    WRITE_BYTES = 256 << 10,
    PREFIX_BYTES = 5,
    WINDOW_BYTES = 1 << 30, /* So large that flow control never holds an answer back. */
};

struct call {
    struct call *prev;
    struct call *next;
    int64_t due_ns;
    int32_t stream_id;
    struct body body;
    size_t sent;
    bool own_body;
    struct answer answer;
    uint8_t prefix[PREFIX_BYTES];
    unsigned prefix_len;
    uint32_t message_left;
};

struct connection {
    struct connection_owner *owner;
    nghttp2_session *session;
    unsigned number;
    int fd;
    bool going_away;
    int64_t read_ns; /* When the bytes that are being worked on were read. */
    unsigned in_flight;
    struct call open; /* Ring of the open calls. */
    struct call *spare;
    size_t out_len;
    size_t out_sent;
    uint8_t out[WRITE_BYTES];
};

static struct call *call_take(struct connection *connection)
{
    struct call *call = connection->spare;

    if (call != NULL) {
        connection->spare = call->next;
        memset(call, 0, sizeof *call);
    } else {
        call = fail_or_calloc(1, sizeof *call);
    }
    call->prev = connection->open.prev;
    call->next = &connection->open;
    call->prev->next = call;
    call->next->prev = call;
    connection->in_flight++;
    return call;
}

static void call_give_back(struct connection *connection, struct call *call)
{
    if (call->own_body) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see the call leave the ring. */
        free((uint8_t *)call->body.data);
    }
    call->prev->next = call->next;
    call->next->prev = call->prev;
    call->next = connection->spare;
    connection->spare = call;
    connection->in_flight--;
}

static void
call_end(struct connection *connection, struct call *call, enum outcome outcome, int64_t end_ns)
{
    const struct call_end end = {connection->number, outcome, call->due_ns, end_ns};

    call_give_back(connection, call);
    connection->owner->on_end(connection->owner->data, &end);
}

/* Follows the frames of gRPC through a body that arrives in pieces of any size. */
static void call_receive(struct call *call, const uint8_t *data, size_t len)
{
    while (len > 0) {
        if (call->message_left > 0) {
            const size_t part = len < call->message_left ? len : call->message_left;

            data += part;
            len -= part;
            call->message_left -= (uint32_t)part;
        } else {
            call->prefix[call->prefix_len++] = *data++;
            len--;
            if (call->prefix_len < PREFIX_BYTES) {
                continue;
            }
            call->prefix_len = 0;
            call->message_left = (uint32_t)call->prefix[1] << 24 | (uint32_t)call->prefix[2] << 16 |
                                 (uint32_t)call->prefix[3] << 8 | call->prefix[4];
        }
        if (call->message_left == 0) {
            call->answer.messages++;
        }
    }
}

static ssize_t on_send_body(
    nghttp2_session *session,
    int32_t stream_id,
    uint8_t *buffer,
    size_t capacity,
    uint32_t *flags,
    nghttp2_data_source *source,
    void *user_data)
{
    struct call *call = source->ptr;
    const size_t left = call->body.len - call->sent;
    const size_t part = left < capacity ? left : capacity;

    (void)session;
    (void)stream_id;
    (void)user_data;
    memcpy(buffer, call->body.data + call->sent, part);
    call->sent += part;
    if (call->sent == call->body.len) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)part;
}

/* -1 when it is not a number of up to three digits. */
static int small_number(const uint8_t *text, size_t len)
{
    int value = 0;

    if (len == 0 || len > 3) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = 10 * value + (text[i] - '0');
    }
    return value;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are nghttp2's. */
static int on_header(
    nghttp2_session *session,
    const nghttp2_frame *frame,
    const uint8_t *name,
    size_t name_len,
    const uint8_t *value,
    size_t value_len,
    uint8_t flags,
    void *user_data)
{
    struct call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)flags;
    (void)user_data;
    if (call == NULL) {
        return 0;
    }
    if (name_len == 7 && memcmp(name, ":status", 7) == 0) {
        call->answer.http_status = small_number(value, value_len);
    } else if (name_len == 11 && memcmp(name, "grpc-status", 11) == 0) {
        const int status = small_number(value, value_len);

        call->answer.grpc_status = status < 0 ? OUTCOME_GRPC_LAST + 1 : status;
    }
    return 0;
}

static int on_data(
    nghttp2_session *session,
    uint8_t flags,
    int32_t stream_id,
    const uint8_t *data,
    size_t len,
    void *user_data)
{
    struct connection *connection = user_data;
    struct call *call = nghttp2_session_get_stream_user_data(session, stream_id);

    (void)flags;
    connection->owner->received_bytes += len;
    if (call != NULL) {
        const unsigned long before = call->answer.messages;

        call_receive(call, data, len);
        connection->owner->received_messages += call->answer.messages - before;
    }
    return 0;
}

/* A server may reset a stream after the status to stop the rest of the request: that is no error.
 */
static int
on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user_data)
{
    struct connection *connection = user_data;
    struct call *call = nghttp2_session_get_stream_user_data(session, stream_id);

    if (call == NULL) {
        return 0;
    }
    call->answer.body_whole = call->message_left == 0 && call->prefix_len == 0;
    enum outcome outcome = outcome_of(&call->answer);
    if (error_code != NGHTTP2_NO_ERROR && call->answer.grpc_status < 0) {
        /* Streams that a GOAWAY does not cover are closed by nghttp2, as if refused. */
        outcome = error_code == NGHTTP2_REFUSED_STREAM && connection->going_away
                      ? OUTCOME_CONNECTION_LOST
                      : OUTCOME_RESET;
    }
    call_end(connection, call, outcome, connection->read_ns);
    return 0;
}

/* At the beginning of the frame, because nghttp2 closes the streams it refuses before it tells its
 * end. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *header, void *user_data)
{
    struct connection *connection = user_data;

    (void)session;
    if (header->type == NGHTTP2_GOAWAY) {
        connection->going_away = true;
    }
    return 0;
}

/* A request that was still queued when GOAWAY came has no stream, so its call is looked for by
 * number. */
static int
on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user_data)
{
    struct connection *connection = user_data;

    (void)session;
    (void)error;
    if (frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    for (struct call *call = connection->open.next; call != &connection->open; call = call->next) {
        if (call->stream_id == frame->hd.stream_id) {
            call_end(connection, call, OUTCOME_CONNECTION_LOST, monotonic_ns());
            return 0;
        }
    }
    return 0;
}

static nghttp2_session *session_new(struct connection *connection)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES},
    };
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        fail(EXIT_NO_RUN, "out of memory");
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_sent);
    if (nghttp2_session_client_new(&session, callbacks, connection) != 0 ||
        nghttp2_submit_settings(
            session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]) != 0 ||
        nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES) != 0) {
        fail(EXIT_NO_RUN, "cannot start an HTTP/2 session");
    }
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

struct connection *
connection_new(struct connection_owner *owner, const struct addrinfo *address, unsigned number)
{
    struct connection *connection = fail_or_calloc(1, sizeof *connection);
    const int on = 1;

    connection->owner = owner;
    connection->number = number;
    connection->open.prev = &connection->open;
    connection->open.next = &connection->open;
    connection->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) {
        fail(EXIT_NO_RUN, "cannot open a socket: %m");
    }
    if (connect(connection->fd, address->ai_addr, address->ai_addrlen) != 0) {
        fail(EXIT_NO_RUN, "cannot connect to the server: %m");
    }
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    connection->session = session_new(connection);
    return connection;
}

void connection_free(struct connection *connection)
{
    if (connection == NULL) {
        return;
    }
    nghttp2_session_del(connection->session);
    while (connection->open.next != &connection->open) {
        call_give_back(connection, connection->open.next);
    }
    while (connection->spare != NULL) {
        struct call *call = connection->spare;

        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes the list for a ring. */
        connection->spare = call->next;
        free(call);
    }
    close(connection->fd);
    free(connection);
}

int connection_fd(const struct connection *connection)
{
    return connection->fd;
}

unsigned connection_in_flight(const struct connection *connection)
{
    return connection->in_flight;
}

bool connection_can_call(const struct connection *connection)
{
    return !connection->going_away;
}

void connection_call(struct connection *connection, int64_t due_ns, struct body body, bool own_body)
{
    struct call *call = call_take(connection);
    const struct request_head *head = connection->owner->head;
    const nghttp2_data_provider provider = {
        .source.ptr = call,
        .read_callback = on_send_body,
    };

    call->due_ns = due_ns;
    call->body = body;
    call->own_body = own_body;
    call->answer.grpc_status = -1;
    call->answer.streaming = connection->owner->streaming;
    call->stream_id =
        nghttp2_submit_request(connection->session, NULL, head->fields, head->len, &provider, call);
    if (call->stream_id < 0) {
        fail(EXIT_NO_RUN, "cannot queue a request: the connection has no stream numbers left");
    }
}

bool connection_read(struct connection *connection)
{
    uint8_t buffer[READ_BYTES];

    for (;;) {
        const ssize_t len = recv(connection->fd, buffer, sizeof buffer, 0);

        if (len < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        connection->read_ns = monotonic_ns();
        if (len == 0 || nghttp2_session_mem_recv(connection->session, buffer, (size_t)len) != len) {
            return false;
        }
        if ((size_t)len < sizeof buffer) {
            return !connection->going_away || connection->in_flight > 0;
        }
    }
}

/* Gathers frames into the buffer and returns false when the session has failed. */
static bool connection_gather(struct connection *connection)
{
    /* A frame may be up to 16 kB and its header; so much must fit behind what is gathered. */
    const size_t frame_bytes_max = 20 << 10;

    while (WRITE_BYTES - connection->out_len >= frame_bytes_max) {
        const uint8_t *data = NULL;
        const ssize_t len = nghttp2_session_mem_send(connection->session, &data);

        if (len <= 0) {
            return len == 0;
        }
        if ((size_t)len > WRITE_BYTES - connection->out_len) {
            return false;
        }
        memcpy(connection->out + connection->out_len, data, (size_t)len);
        connection->out_len += (size_t)len;
    }
    return true;
}

bool connection_flush(struct connection *connection)
{
    for (;;) {
        if (connection->out_sent == connection->out_len) {
            connection->out_sent = 0;
            connection->out_len = 0;
            if (!connection_gather(connection)) {
                return false;
            }
            if (connection->out_len == 0) {
                /* Zero after a protocol error, once our own GOAWAY is written. */
                return nghttp2_session_want_read(connection->session) != 0;
            }
        }
        const ssize_t len = send(
            connection->fd,
            connection->out + connection->out_sent,
            connection->out_len - connection->out_sent,
            MSG_NOSIGNAL);
        if (len < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        connection->out_sent += (size_t)len;
    }
}

bool connection_wants_write(const struct connection *connection)
{
    return connection->out_sent < connection->out_len;
}

void connection_lose(struct connection *connection, enum outcome outcome)
{
    const int64_t now_ns = monotonic_ns();

    while (connection->open.next != &connection->open) {
        call_end(connection, connection->open.next, outcome, now_ns);
    }
}
