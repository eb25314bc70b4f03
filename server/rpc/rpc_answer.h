#pragma once

/* What goes back to the peer. Each function starts one batch; sends of one call are never started
 * by two threads at once. The caller must not touch the call afterwards unless it holds a reference
 * besides the one that the batch takes over. */

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct rpc_call;

/* The initial metadata alone; call->stream.headers_written fires. */
void rpc_answer_headers(struct rpc_call *call);

/* One message of a stream; call->stream.written fires. */
void rpc_answer_message(struct rpc_call *call, const ProtobufCMessage *message);

/* Everything that is still to be sent; call->finished fires. message may be NULL, and is left out
 * when status is a failure. */
void rpc_answer_final(struct rpc_call *call, struct status status, const ProtobufCMessage *message);
