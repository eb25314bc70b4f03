#pragma once

/* What one step of a stream does: open it, pull one message out of its source, or hand one message
 * to its inflow. Never two of one call at once; see rpc_stream.h. */

#include <stdbool.h>
#include <stdint.h>

struct rpc_call;
struct rpc_worker;

enum rpc_step {
    RPC_STEP_DONE, /* until the next event */
    RPC_STEP_MOVE, /* goes on at once on the lane that call->lane now names */
};

/* worker is NULL on the polling thread. */
enum rpc_step
rpc_stream_step(struct rpc_call *call, const struct rpc_worker *worker, uint32_t events);
