#pragma once

/* One call, from its arrival until both sides have closed it. The memory is reused by later calls.
 *
 *   arrived -> received -> runs -> finished            unary, on the polling thread
 *                            \-> lane -> runs -> finished    unary, on a worker
 *
 * Whoever handles a call holds the one reference that is handed on from step to step; a batch in
 * flight beside it holds another. The last one gives the call back. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grpc/grpc.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "rpc/rpc_metadata.h"
#include "rpc/rpc_method_index.h"
#include "rpc/rpc_peers.h"
#include "rpc/rpc_poller.h"
#include "rpc/rpc_stream.h"
#include "rpc/rpc_workers.h"

struct rpc_server;

/* Most calls need less and never ask the heap. */
#define RPC_CALL_FIRST_BYTES 2048

struct rpc_call {
    struct rpc_server *server;
    struct rpc_call *next; /* in the pool */
    _Atomic uint32_t refs;
    grpc_call *core;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *message; /* received, not unpacked yet */
    grpc_byte_buffer *answer;  /* empty between two messages; the core takes what is in it */
    ProtobufCMessage *request;
    const char *authorization; /* in the arena */
    struct rpc_entry *entry;
    struct rpc_peer peer;
    enum rpc_lane lane; /* where it runs now; RPC_LANE_COUNT is the lane of the streams */
    struct rpc_call *listed_after; /* see rpc_call_list.h */
    struct rpc_call *listed_before;
    bool listed;
    bool authorized;
    bool close_watched; /* the final batch need not ask */
    bool headers_sent;
    int cancelled;
    int64_t started_us; /* monotonic */
    struct canceller canceller;
    struct ctx cx;
    struct arena arena;
    struct rpc_task task;
    struct rpc_event arrived;
    struct rpc_event received;
    struct rpc_event closed;
    struct rpc_event finished;
    struct rpc_stream stream;
    char request_id[RPC_REQUEST_ID_SIZE];
    _Alignas(max_align_t) char first[RPC_CALL_FIRST_BYTES];
};

/* Asks the core for the next call. On the polling thread, or before it runs. */
void rpc_call_post(struct rpc_server *server);

void rpc_call_ref(struct rpc_call *call);
void rpc_call_unref(struct rpc_call *call);

/* From here on the canceller of the call tells when the peer is gone. */
void rpc_call_watch_close(struct rpc_call *call);

/* Starts to receive a message; call->received fires, and the reference of the caller goes with it.
 */
void rpc_call_receive(struct rpc_call *call);

/* Authorises once and unpacks call->message into call->request. */
struct status rpc_call_prepare(struct rpc_call *call) MUST_CHECK;

/* The second half of it, for the later messages of a stream: into the arena of cx. */
struct status rpc_call_unpack(struct rpc_call *call, struct ctx *cx) MUST_CHECK;

/* Gives back the memory of what was done so far, for the next step of a stream. */
void rpc_call_reset_arena(struct rpc_call *call);

/* Ends the calls whose peer has opened them and sends no message. On the polling thread. */
void rpc_call_tick(struct rpc_server *server, int64_t now_us);

/* Why a call whose peer is gone ended: the deadline, or the peer's wish. */
enum reason rpc_call_gone_reason(const struct rpc_call *call);

/* Counts and logs how the call ended. */
void rpc_call_account(struct rpc_call *call, struct status status);

/* Accounts for it and sends all that is still to be sent; hands the reference over to the core. */
void rpc_call_finish(struct rpc_call *call, struct status status, const ProtobufCMessage *response);
