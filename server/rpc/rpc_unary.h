#pragma once

/* Calls with one message and one answer: on the polling thread, or on a worker of a lane. */

#include <stdbool.h>

struct rpc_call;

/* The core has received the message (call->message; NULL: there was none), or failed. On the
 * polling thread. */
void rpc_unary_received(struct rpc_call *call, bool ok);
