#pragma once

/* The connections that we accepted ourselves, by descriptor: how many there are, how many of one
 * peer, how many calls each has, and who is behind "fd:9", which is all that the core knows.
 *
 * The core closes a connection without telling, so the table is compared with the kernel's from
 * time to time, and when a limit is reached. It has a filter for idle connections, but that costs
 * 4,000 instructions a call; and it has no way to send GOAWAY to a connection before the whole
 * server is shut down, when it also kills the calls that are on their way. So both are done here.
 *
 * One thread adds and sweeps; calls begin on one thread; any thread ends them and asks for names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <grpc/grpc.h>

#include "base/status.h"

struct ctx;
struct rpc_peers;

#define RPC_PEER_SIZE 64 /* "[0123:...]:65535", "unix", "unknown", with the NUL */

/* A connection, as long as it lives: descriptors are used again. */
struct rpc_peer {
    int fd; /* -1: unknown */
    uint32_t generation;
};

/* total_max is cut to four fifths of RLIMIT_NOFILE; per_peer_max 0 is no limit. Loopback and unix
 * sockets have no limit per peer: a front stands there. Owned by the caller, free with
 * rpc_peers_free(). Fails with INTERNAL. */
struct status rpc_peers_new(
    struct ctx *cx, size_t total_max, size_t per_peer_max, struct rpc_peers **ret_peers) MUST_CHECK;
void rpc_peers_free(struct rpc_peers *peers);

enum rpc_peers_verdict {
    RPC_PEERS_OK,
    RPC_PEERS_TOTAL_MAX,
    RPC_PEERS_PEER_MAX
};

/* Counts the connection fd. Unless OK, it is not counted and should be closed. */
enum rpc_peers_verdict
rpc_peers_add(struct rpc_peers *peers, int fd, const struct sockaddr_storage *from);

/* The connection was closed by us, before the core had it. */
void rpc_peers_remove(struct rpc_peers *peers, int fd);

/* How long connections live; INT64_MAX is no limit. */
struct rpc_peers_life {
    int64_t idle_us_max; /* without a call */
    int64_t age_us_max;  /* up to a fifth less, so that they do not all come back at once */
};

/* Looks which connections are still open, and returns how many. Those whose time is over are sent
 * GOAWAY, which makes well-behaved peers finish their calls and close, and are shut down when they
 * are still there at a later look and have no calls. */
size_t rpc_peers_sweep(struct rpc_peers *peers, int64_t now_us, struct rpc_peers_life life);

/* Sends GOAWAY to all: peers finish their calls and begin no new ones. False when some could not be
 * told now; called again, it tells those. Not while another thread sweeps. */
bool rpc_peers_go_away(struct rpc_peers *peers);

/* Which connection a call came by, for rpc_peers_call_ends(). peers may be NULL: then it is
 * unknown. */
struct rpc_peer rpc_peers_call_begins(struct rpc_peers *peers, grpc_call *call, int64_t now_us);
void rpc_peers_call_ends(struct rpc_peers *peers, struct rpc_peer peer);

/* Writes where a call comes from. */
void rpc_peers_name(
    const struct rpc_peers *peers,
    struct rpc_peer peer,
    grpc_call *call,
    char ret_text[RPC_PEER_SIZE]);
