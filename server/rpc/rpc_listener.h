#pragma once

/* Accepts connections and hands those that begin with the preface of HTTP/2 to the core.
 * The core's own listener never accepts again after it once had no descriptor left, and keeps
 * silent peers for two minutes; this one sheds. One thread of its own.
 *
 *   accepted -> counted -> 24 bytes within 5 s -> core
 *       \-> refused          \-> closed
 */

#include <grpc/grpc.h>

#include "base/status.h"
#include "rpc/rpc_peers.h"

struct ctx;
struct rpc_address;
struct rpc_listener;

/* Opens the socket; nothing is accepted yet. peers and core are borrowed. The text of the address,
 * with the port that was picked, is in the arena of cx. Fails with FIELD_INVALID or INTERNAL. */
struct status rpc_listener_new(
    struct ctx *cx,
    const struct rpc_address *address,
    struct rpc_peers *peers,
    struct rpc_peers_life life,
    grpc_server *core,
    struct rpc_listener **ret_listener,
    const char **ret_address) MUST_CHECK;

struct status rpc_listener_start(struct ctx *cx, struct rpc_listener *listener) MUST_CHECK;

/* Closes the socket and the connections that the core does not have yet; joins the thread. */
void rpc_listener_stop(struct rpc_listener *listener);

/* Takes NULL; stops first. */
void rpc_listener_free(struct rpc_listener *listener);
