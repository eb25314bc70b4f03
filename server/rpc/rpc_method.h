#pragma once

/* The one table of what can be called. A row names the path, the message types, the function, where
 * it runs, the scope that the caller needs and what a repeat does. Every door (gRPC now, Connect
 * and gRPC-Web later) reads the same rows; nothing here knows a protocol. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/ctx.h"
#include "base/status.h"

/* Where a method runs. INLINE: on the polling thread, never waiting; a method that turns out to
 * have to wait fails with WOULD_BLOCK and is run again, from the start, on its fallback lane
 * DATABASE. The other lanes are bounded pools of workers, apart so that a slow payment side cannot
 * starve reads of the database. */
enum rpc_lane {
    RPC_LANE_INLINE,
    RPC_LANE_DATABASE,
    RPC_LANE_PAYMENT,
    RPC_LANE_COUNT
};

/* What a repeat of the same request does. */
enum rpc_repeat {
    RPC_REPEAT_READ,   /* no side effects: may be retried, hedged, cached */
    RPC_REPEAT_KEYED,  /* a request_id or event id makes it safe to send again */
    RPC_REPEAT_UNSAFE, /* a repeat is a second effect */
};

/* req has been unpacked into the arena of cx after the pre-scan. On success *ret_response is a
 * message of the output type, in the arena of cx. */
typedef struct status (*rpc_unary_fn)(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response);

/* A server stream is pulled. open() makes a source; the transport calls next() until END, one
 * message at a time, never two calls at once, from any thread that may block. PENDING: nothing now;
 * the source calls wake(waker) from any thread when there may be something. */
enum rpc_next {
    RPC_NEXT_READY,
    RPC_NEXT_PENDING,
    RPC_NEXT_END
};

struct rpc_source {
    /* READY: *ret_message is in the arena of cx and is packed before the next call.
     * END: *ret_status says why the stream ends. cx is fresh for each call, may block, and has the
     * caller of open(). A call without a wake is possible: then it is PENDING again. */
    enum rpc_next (*next)(
        struct rpc_source *source,
        struct ctx *cx,
        ProtobufCMessage **ret_message,
        struct status *ret_status);
    /* Called exactly once, after the last next(); frees the source. Wakes may still be in flight in
     * other threads until it returns, never after. */
    void (*close)(struct rpc_source *source);
};

/* Given to open(); the source keeps it and calls waker->wake(waker) at most once per PENDING. */
struct rpc_waker {
    void (*wake)(struct rpc_waker *waker);
};

/* caller of cx is copied by the source if it needs it later; cx itself ends with open(). */
typedef struct status (*rpc_open_fn)(
    struct ctx *cx,
    void *services,
    const ProtobufCMessage *req,
    struct rpc_waker *waker,
    struct rpc_source **ret_source);

/* A client stream (or the incoming half of a two-way stream): begin() makes the state, message() is
 * called for each message in order, finish() after the half-close. abort() instead of finish() when
 * the peer is gone or the stream fails: after begin() exactly one of the two is called, and ends
 * the state. message() may answer (two-way streams): *ret_response NULL = nothing now; finish() of
 * a client stream must. cx is fresh for each call: nothing in its arena outlives it. On the lane of
 * the method, one message at a time; the next is read when this one is done. begin() may fail with
 * WOULD_BLOCK like a unary method, the others of an INLINE method must not wait. */
struct rpc_inflow {
    struct status (*begin)(struct ctx *cx, void *services, void **ret_state);
    struct status (*message)(
        struct ctx *cx, void *state, const ProtobufCMessage *req, ProtobufCMessage **ret_response);
    struct status (*finish)(struct ctx *cx, void *state, ProtobufCMessage **ret_response);
    void (*abort)(void *state);
};

struct rpc_method {
    const char *path; /* "/billingos.v1.CustomerService/GetCustomer" */
    const ProtobufCMessageDescriptor *input;
    const ProtobufCMessageDescriptor *output;
    rpc_unary_fn unary; /* exactly one of unary, open, inflow; none: METHOD_NOT_IMPLEMENTED */
    rpc_open_fn open;
    const struct rpc_inflow *inflow;
    enum rpc_lane lane;
    uint64_t scope; /* one bit of enum scope; 0: any valid key; RPC_SCOPE_PUBLIC: no key */
    enum rpc_repeat repeat;
    uint32_t request_bytes_max; /* 0: the server's default, 256 KiB */
    uint32_t
        deadline_ms_max; /* 0: the server's default; also the deadline of callers without one */
    uint32_t request_fields_max; /* fields of all levels together; 0: 10,000 */
};

#define RPC_SCOPE_PUBLIC (UINT64_C(1) << 63)

struct rpc_method_table {
    const struct rpc_method *methods;
    size_t count;
    void *services; /* handed to every handler */

    /* Fills cx->caller from the credentials and checks the scope of the method. authorization is
     * the metadata value ("Bearer ..."), "" when absent. Runs first, on the same thread as the
     * method: on the polling thread it fails with WOULD_BLOCK when it would have to ask the
     * database. */
    struct status (*authorize)(
        struct ctx *cx, void *services, const struct rpc_method *method, const char *authorization);

    /* The serialized google.protobuf.FileDescriptorSet of everything served, with source info;
     * checked against the rows at start (types, streaming flags), and the answer of reflection. */
    const uint8_t *descriptor_set;
    size_t descriptor_set_len;
};
