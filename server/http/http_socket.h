#pragma once

/* The listening socket, and accepting from it so that a process without descriptors sheds
 * connections instead of going deaf: one descriptor is kept in reserve, given up to accept and
 * close the connection that there is no room for, and taken back. Belongs to one thread. */

#include <sys/socket.h>

#include "base/status.h"

struct ctx;

struct http_socket {
    int fd;         /* -1: closed */
    int reserve_fd; /* -1: there was none to be had */
    char address[64];
};

enum http_accept {
    HTTP_ACCEPT_OK,
    HTTP_ACCEPT_NONE,   /* nobody waits */
    HTTP_ACCEPT_SHED,   /* no descriptor left: one connection was taken and closed */
    HTTP_ACCEPT_FAILED, /* nothing was taken: wait before the next try */
};

/* "127.0.0.1:8080", "[::1]:8080", ":8080" (every address). Fails with FIELD_INVALID when this is no
 * address, with INTERNAL when the system refuses it. */
struct status http_socket_listen(
    struct ctx *cx, const char *listen_on, struct http_socket *ret_socket) MUST_CHECK;
void http_socket_close(struct http_socket *socket);

/* Never waits. The descriptor does not block and is closed on exec. */
enum http_accept http_socket_accept(
    struct http_socket *socket, struct sockaddr_storage *ret_peer, socklen_t *ret_len, int *ret_fd);
