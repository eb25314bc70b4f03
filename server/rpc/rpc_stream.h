#pragma once

/* Calls with many messages. A stream is an actor: whatever happens to it (a message came, one was
 * written, the source woke, the peer left, the server drains) is a bit; the first bit schedules a
 * step, and there is never more than one step of a stream queued or running. So nothing in here
 * takes a lock, and the functions of a source or an inflow never run twice at once.
 *
 *   server stream   received -> open() -> [ next() -> write -> written ] ... -> END -> status
 *                                             ^ wake()
 *   client stream   begin() -> [ receive -> message() -> (write -> written) ] ... -> finish() */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "rpc/rpc_method.h"
#include "rpc/rpc_poller.h"
#include "rpc/rpc_workers.h"

struct rpc_call;
struct rpc_entry;
struct rpc_server;

enum rpc_stream_event {
    RPC_STREAM_BUSY = 1, /* a step is queued or running */
    RPC_STREAM_RECEIVED = 1 << 1,
    RPC_STREAM_WRITTEN = 1 << 2,
    RPC_STREAM_WOKEN = 1 << 3,
    RPC_STREAM_CLOSED = 1 << 4, /* by both sides, or the peer is gone */
    RPC_STREAM_DRAIN = 1 << 5,
    RPC_STREAM_EXPIRED = 1 << 6,
    RPC_STREAM_OVERLOADED = 1 << 7, /* its lane had no room for a step */
};

/* A part of struct rpc_call. What has no remark belongs to the running step. */
struct rpc_stream {
    struct rpc_waker waker;
    _Atomic uint32_t events;
    _Atomic int64_t writing_since_us; /* 0: nothing is being written */
    _Atomic int cut;                  /* enum reason: why we reset the stream */
    int64_t expires_us;               /* the polling thread's; INT64_MAX: never */
    bool waits_for_message;           /* the polling thread's: for the one of a server stream */
    struct rpc_source *source;
    void *state;        /* of an inflow */
    int full_lane;      /* with RPC_STREAM_OVERLOADED: which */
    enum reason ending; /* ends with this as soon as nothing is being written */
    bool opened;
    bool has_input;
    bool writing;
    bool ended;
    bool counted; /* in rpc_server.stream_count */
    struct rpc_event written;
    struct rpc_event headers_written;
    char actor[ID_TEXT_SIZE]; /* of cx->caller, which lives longer than the arena */
};

/* Once for the memory of a call. */
void rpc_stream_init(struct rpc_call *call);

/* A call to a method with many messages has arrived. On the polling thread. */
void rpc_stream_begin(struct rpc_call *call);

/* One of the events, or several. Thread-safe; the caller holds a reference. */
void rpc_stream_post(struct rpc_call *call, uint32_t events);

/* The core has received a message, the half-close (call->message NULL), or failed. */
void rpc_stream_received(struct rpc_call *call, bool ok);

/* The core says that the stream is over. On the polling thread. */
void rpc_stream_closed(struct rpc_call *call);

/* The call is given back. */
void rpc_stream_released(struct rpc_call *call);

/* Ends what took too long: streams past their time, those that nobody reads, and those whose peer
 * sends no message. */
void rpc_stream_tick(struct rpc_server *server, int64_t now_us);

/* Posts an event to every open stream, or to those of one method. */
void rpc_stream_post_all(struct rpc_server *server, const struct rpc_entry *entry, uint32_t events);
