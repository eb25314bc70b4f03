#pragma once

/* Where to listen: "127.0.0.1:9090", "[::1]:0", "localhost:9090", "unix:/run/billingos.sock". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/status.h"

struct ctx;

struct rpc_address {
    struct sockaddr_storage storage;
    socklen_t len;
};

/* Fails with FIELD_INVALID, naming the field "listen". Asks the resolver for names. */
struct status
rpc_address_parse(struct ctx *cx, const char *text, struct rpc_address *ret_address) MUST_CHECK;

/* Nobody outside of this machine can reach it. */
bool rpc_address_is_local(const struct rpc_address *address);

/* No effect on unix sockets. */
void rpc_address_set_port(struct rpc_address *address, uint16_t port);

/* In the arena of cx, in the form that rpc_address_parse() reads. */
const char *rpc_address_text(struct ctx *cx, const struct rpc_address *address);

/* A listening socket; the port is filled in when it was 0. A socket file that nobody listens on any
 * more is replaced. Fails with FIELD_INVALID. */
struct status
rpc_address_listen(struct ctx *cx, struct rpc_address *address, int *ret_fd) MUST_CHECK;
