#include "rpc/rpc_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/str.h"

#define BACKLOG 1024

static struct status invalid(struct ctx *cx, const char *text)
{
    return status_field(
        cx, "listen", "must be HOST:PORT, [IPV6]:PORT or unix:PATH, not \"%s\"", text);
}

static struct status parse_unix(struct ctx *cx, const char *path, struct rpc_address *ret_address)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&ret_address->storage;
    const size_t len = strlen(path);

    if (len == 0 || len >= sizeof un->sun_path) {
        return status_field(
            cx, "listen", "the socket path must have 1 to %zu characters", sizeof un->sun_path - 1);
    }
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len);
    ret_address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return STATUS_OK;
}

static struct status
resolve(struct ctx *cx, const char *host, const char *port, struct rpc_address *ret_address)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    struct addrinfo *found = NULL;
    const int failed = getaddrinfo(host, port, &hints, &found);

    if (failed != 0) {
        return status_field(
            cx, "listen", "cannot find address \"%s\": %s", host, gai_strerror(failed));
    }
    memcpy(&ret_address->storage, found->ai_addr, found->ai_addrlen);
    ret_address->len = found->ai_addrlen;
    freeaddrinfo(found);
    return STATUS_OK;
}

struct status rpc_address_parse(struct ctx *cx, const char *text, struct rpc_address *ret_address)
{
    const char *colon = strrchr(text, ':');
    struct str host;
    long long port = 0;

    *ret_address = (struct rpc_address){.len = 0};
    if (strncmp(text, "unix:", 5) == 0) {
        return parse_unix(cx, text + 5, ret_address);
    }
    if (colon == NULL || !str_to_i64(str_of(colon + 1), &port) || port < 0 || port > 65535) {
        return invalid(cx, text);
    }
    host = (struct str){text, (size_t)(colon - text)};
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        host = (struct str){host.ptr + 1, host.len - 2};
    } else if (memchr(host.ptr, ':', host.len) != NULL) {
        return invalid(cx, text); /* an IPv6 address without brackets */
    }
    if (host.len == 0) {
        return invalid(cx, text);
    }
    return resolve(cx, str_text(cx->arena, host), colon + 1, ret_address);
}

bool rpc_address_is_local(const struct rpc_address *address)
{
    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;

        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;

        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127);
    }
    return address->storage.ss_family == AF_UNIX;
}

void rpc_address_set_port(struct rpc_address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET) {
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
    } else if (address->storage.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
    }
}

const char *rpc_address_text(struct ctx *cx, const struct rpc_address *address)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;

        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        return arena_printf(cx->arena, "%s:%d", text, ntohs(in->sin_port));
    }
    if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;

        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
        return arena_printf(cx->arena, "[%s]:%d", text, ntohs(in6->sin6_port));
    }
    return arena_printf(
        cx->arena, "unix:%s", ((const struct sockaddr_un *)&address->storage)->sun_path);
}

/* A server that died leaves its socket file behind; one that lives answers. */
static void remove_dead_socket(const struct rpc_address *address)
{
    const struct sockaddr *target = (const struct sockaddr *)&address->storage;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        if (connect(fd, target, address->len) != 0 && errno == ECONNREFUSED) {
            unlink(((const struct sockaddr_un *)&address->storage)->sun_path);
        }
        close(fd);
    }
}

static bool bind_and_listen(int fd, const struct rpc_address *address)
{
    const int on = 1;

    if (address->storage.ss_family == AF_UNIX) {
        remove_dead_socket(address);
    } else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
        return false;
    }
    return bind(fd, (const struct sockaddr *)&address->storage, address->len) == 0 &&
           listen(fd, BACKLOG) == 0;
}

struct status rpc_address_listen(struct ctx *cx, struct rpc_address *address, int *ret_fd)
{
    const int fd =
        socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof address->storage;

    if (fd < 0 || !bind_and_listen(fd, address)) {
        const int reason = errno;

        if (fd >= 0) {
            close(fd);
        }
        return status_field(
            cx,
            "listen",
            "could not listen on %s: %s",
            rpc_address_text(cx, address),
            strerrordesc_np(reason));
    }
    if (address->storage.ss_family != AF_UNIX &&
        getsockname(fd, (struct sockaddr *)&address->storage, &len) == 0) {
        address->len = len;
    }
    *ret_fd = fd;
    return STATUS_OK;
}
