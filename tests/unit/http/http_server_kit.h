#pragma once

/* A listener with routes of all kinds, and raw sockets to talk to it: for the tests of the
 * listener. */

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "base/metrics.h"
#include "http/http_server.h"

#define BODY_MAX ((size_t)100 * 1000)

struct fixture {
    struct arena arena;
    struct ctx cx;
    struct http_server *server;
    struct buf answer;
    _Atomic int handled;
    _Atomic int hold; /* handlers of /slow wait while it is not 0 */
};

static struct fixture fixture;

/* Answers what it was given. */
static inline void
echo(struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    const char *kind = http_header(request, "content-type");

    (void)user;
    atomic_fetch_add(&fixture.handled, 1);
    assert(request->body[request->body_len] == '\0');
    response->status = 200;
    response->content_type = kind == NULL ? "text/plain" : kind;
    response->body = arena_printf(
        cx->arena,
        "%s %s ?%s %zu [%.20s] id=%s",
        request->method,
        request->path,
        request->query,
        request->body_len,
        (const char *)request->body,
        cx->request_id);
    response->body_len = strlen(response->body);
    response->headers[0].name = "X-Test";
    response->headers[0].value = "yes";
    response->header_count = 1;
}

static inline void
slow(struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    (void)cx;
    (void)user;
    (void)request;
    atomic_fetch_add(&fixture.handled, 1);
    while (atomic_load(&fixture.hold) != 0) {
        usleep(1000);
    }
    response->status = 204;
}

static inline void silent(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    (void)cx;
    (void)user;
    (void)request;
    (void)response;
}

static inline void greedy(
    struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    (void)user;
    (void)request;
    (void)arena_alloc(cx->arena, (size_t)10 * 1024 * 1024);
    response->status = 200;
    response->body = "half";
    response->body_len = 4;
}

static inline void
big(struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    const size_t len = (size_t)900 * 1000;
    char *body = arena_try_alloc(cx->arena, len);

    (void)user;
    (void)request;
    if (body != NULL) {
        memset(body, 'x', len);
        response->status = 200;
        response->body = body;
        response->body_len = len;
    }
}

static inline void
drop(struct ctx *cx, void *user, const struct http_request *request, struct http_response *response)
{
    (void)cx;
    (void)user;
    (void)request;
    response->drop = true;
}

static const struct http_route routes[] = {
    {"GET", "/drop", 0, drop, NULL},
    {"POST", "/echo/*", BODY_MAX, echo, NULL},
    {"GET", "/get", 0, echo, NULL},
    {"GET", "/slow", 0, slow, NULL},
    {"GET", "/silent", 0, silent, NULL},
    {"GET", "/greedy", 0, greedy, NULL},
    {"GET", "/big", 0, big, NULL},
    {"*", "/any", 10, echo, NULL},
};

static inline void start_with(struct http_server_config config)
{
    config.listen = "127.0.0.1:0";
    atomic_store(&fixture.handled, 0);
    atomic_store(&fixture.hold, 0);
    arena_init(&fixture.arena, NULL, 0, (size_t)1024 * 1024);
    ctx_init(&fixture.cx, &fixture.arena, "test");
    buf_init(&fixture.answer, (size_t)4 * 1024 * 1024);
    assert_int_equal(
        http_server_new(&fixture.cx, &config, routes, ARRAY_LEN(routes), &fixture.server).code,
        CODE_OK);
    assert_int_equal(http_server_start(&fixture.cx, fixture.server).code, CODE_OK);
}

static inline int set_up(void **state)
{
    (void)state;
    start_with((struct http_server_config){.threads = 2, .connections_max = 32});
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    http_server_free(fixture.server);
    fixture.server = NULL;
    buf_release(&fixture.answer);
    arena_release(&fixture.arena);
    return 0;
}

static inline struct sockaddr_in server_address(void)
{
    const char *colon = strrchr(http_server_address(fixture.server), ':');
    struct sockaddr_in address = {.sin_family = AF_INET};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
    return address;
}

static inline void dial_with(int fd)
{
    const struct sockaddr_in address = server_address();

    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
}

static inline int dial(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    dial_with(fd);
    return fd;
}

static inline void say(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        const ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);

        if (sent <= 0) {
            return; /* the server has had enough */
        }
        text += sent;
        len -= (size_t)sent;
    }
}

/* What comes within wait_ms, and then until there is a pause or an end. */
static inline const char *hear(int fd, int wait_ms)
{
    char bytes[4096];
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    buf_clear(&fixture.answer);
    while (poll(&ready, 1, fixture.answer.len == 0 ? wait_ms : 60) == 1) {
        const ssize_t len = recv(fd, bytes, sizeof bytes, 0);

        if (len <= 0) {
            break;
        }
        buf_add(&fixture.answer, bytes, (size_t)len);
    }
    return buf_cstr(&fixture.answer);
}

static inline bool is_closed(int fd, int wait_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char byte = 0;

    return poll(&ready, 1, wait_ms) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

/* Closes without the usual farewell. */
static inline void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

/* One request on a connection of its own. */
static inline const char *ask(const char *text)
{
    const int fd = dial();

    say(fd, text);
    (void)hear(fd, 1000);
    close(fd);
    return buf_cstr(&fixture.answer);
}

static inline void assert_starts(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0) {
        fail_msg("\"%.60s\" does not start with \"%s\"", text, start);
    }
}

static inline void assert_holds(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" does not hold \"%s\"", text, part);
    }
}
