#pragma once

/* The channel arguments of the gRPC core: limits that the core keeps for us. */

#include <stdbool.h>
#include <stdint.h>

#include <grpc/grpc.h>

#include "rpc/rpc_server.h"

#define RPC_CORE_ARGS_MAX 16

struct rpc_core_args {
    grpc_arg list[RPC_CORE_ARGS_MAX];
    grpc_channel_args args;
};

/* message_bytes_max: of all methods together; the limit of each is checked when it is known.
 * core_accepts: the core has its own listener, and must end idle connections itself. */
void rpc_core_args_init(
    struct rpc_core_args *args,
    const struct rpc_server_config *config,
    uint32_t message_bytes_max,
    bool core_accepts);

/* grpc_init(), and what holds for the whole process: the log goes to ours, and the search for lock
 * cycles, which Debian's build leaves on, is switched off. Each must be followed by a
 * grpc_shutdown(). */
void rpc_core_init(void);
