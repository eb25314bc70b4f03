#include "http/http_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"

#define BACKLOG 1024

static void free_addresses(struct addrinfo **addresses)
{
    if (*addresses != NULL) {
        freeaddrinfo(*addresses);
    }
}

/* Splits at the last colon; the brackets of an IPv6 address are taken off. */
static bool
split(struct ctx *cx, const char *listen_on, const char **ret_host, const char **ret_port)
{
    const char *colon = strrchr(listen_on, ':');
    struct str host = {0};
    long long port = 0;

    /* getaddrinfo() would take a larger number, and another port for it. */
    if (colon == NULL || !str_to_i64(str_of(colon + 1), &port) || port < 0 || port > 65535) {
        return false;
    }
    host = (struct str){listen_on, (size_t)(colon - listen_on)};
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        host = (struct str){host.ptr + 1, host.len - 2};
    }
    *ret_host = host.len == 0 ? NULL : str_text(cx->arena, host);
    *ret_port = colon + 1;
    return true;
}

static void format_address(struct http_socket *socket)
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    char host[INET6_ADDRSTRLEN] = "";
    char port[8] = "";

    if (getsockname(socket->fd, (struct sockaddr *)&bound, &len) != 0 ||
        getnameinfo(
            (struct sockaddr *)&bound,
            len,
            host,
            sizeof host,
            port,
            sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return;
    }
    snprintf(
        socket->address,
        sizeof socket->address,
        bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
        host,
        port);
}

static int bind_one(const struct addrinfo *address)
{
    const int on = 1;
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        const int error = errno;

        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct status
http_socket_listen(struct ctx *cx, const char *listen_on, struct http_socket *ret_socket)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    AUTO(free_addresses) struct addrinfo *addresses = NULL;
    struct http_socket socket = {.fd = -1, .reserve_fd = -1};
    const char *host = NULL;
    const char *port = NULL;
    int error = 0;

    if (!split(cx, listen_on, &host, &port)) {
        return status_field(cx, "listen", "\"%s\" is not an address and a port", listen_on);
    }
    error = getaddrinfo(host, port, &hints, &addresses);
    if (error != 0) {
        return status_field(
            cx,
            "listen",
            "\"%s\" is not an address and a port: %s",
            listen_on,
            gai_strerror(error));
    }
    for (const struct addrinfo *one = addresses; one != NULL && socket.fd < 0; one = one->ai_next) {
        socket.fd = bind_one(one);
    }
    if (socket.fd < 0) {
        return status_fail(
            cx,
            REASON_INTERNAL,
            "could not listen on \"%s\": %s",
            listen_on,
            strerrordesc_np(errno));
    }
    socket.reserve_fd = open_reserve();
    format_address(&socket);
    *ret_socket = socket;
    return STATUS_OK;
}

void http_socket_close(struct http_socket *socket)
{
    if (socket->fd >= 0) {
        (void)close(socket->fd);
    }
    if (socket->reserve_fd >= 0) {
        (void)close(socket->reserve_fd);
    }
    socket->fd = -1;
    socket->reserve_fd = -1;
}

/* The one that was let in is closed at once: its peer sees an end and tries elsewhere or later,
 * where a connection left in the backlog would only hang. */
static enum http_accept shed_one(struct http_socket *socket)
{
    int fd = -1;

    if (socket->reserve_fd < 0) {
        socket->reserve_fd = open_reserve();
        return HTTP_ACCEPT_FAILED;
    }
    (void)close(socket->reserve_fd);
    fd = accept4(socket->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)close(fd);
    }
    socket->reserve_fd = open_reserve();
    return fd >= 0 ? HTTP_ACCEPT_SHED : HTTP_ACCEPT_FAILED;
}

enum http_accept http_socket_accept(
    struct http_socket *socket, struct sockaddr_storage *ret_peer, socklen_t *ret_len, int *ret_fd)
{
    socklen_t len = sizeof *ret_peer;
    const int fd =
        accept4(socket->fd, (struct sockaddr *)ret_peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        *ret_len = len;
        *ret_fd = fd;
        return HTTP_ACCEPT_OK;
    }
    switch (errno) {
    case EAGAIN:
    case EINTR:
    case ECONNABORTED: /* gone while it waited */
        return HTTP_ACCEPT_NONE;
    case EMFILE:
    case ENFILE:
        return shed_one(socket);
    default:
        return HTTP_ACCEPT_FAILED;
    }
}
