#include "rpc/rpc_stream.h"

#include <assert.h>
#include <stddef.h>

#include <grpc/grpc.h>

#include "base/deadline.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_server_internal.h"
#include "rpc/rpc_stream_step.h"

static struct rpc_call *call_of(struct rpc_stream *stream)
{
    return (struct rpc_call *)((char *)stream - offsetof(struct rpc_call, stream));
}

/* --- steps ---------------------------------------------------------------------------------------
 */

static void run_steps(struct rpc_call *call, const struct rpc_worker *worker);

static void run_task(struct rpc_task *task, struct rpc_worker *worker)
{
    run_steps((struct rpc_call *)((char *)task - offsetof(struct rpc_call, task)), worker);
}

/* The next step, somewhere else. The lane of the streams has room for a step of each stream; when
 * another lane is full, the step runs there all the same, to end the stream. */
static void queue_step(struct rpc_call *call)
{
    bool queued = false;

    call->task.run = run_task;
    if (rpc_workers_put(call->server->lanes[call->lane], &call->task)) {
        return;
    }
    call->stream.full_lane = (int)call->lane;
    atomic_fetch_or(&call->stream.events, RPC_STREAM_OVERLOADED);
    call->lane = RPC_LANE_STREAM;
    queued = rpc_workers_put(call->server->lanes[RPC_LANE_STREAM], &call->task);
    assert(queued);
}

/* Runs with the stream BUSY and with a reference, which goes with BUSY. On a worker one step at a
 * time, so that a busy stream does not keep the others waiting. */
static void run_steps(struct rpc_call *call, const struct rpc_worker *worker)
{
    _Atomic uint32_t *events = &call->stream.events;

    for (;;) {
        const uint32_t now = atomic_fetch_and(events, RPC_STREAM_BUSY);
        const enum rpc_step step = rpc_stream_step(call, worker, now);
        uint32_t busy = RPC_STREAM_BUSY;

        if (step == RPC_STEP_DONE && atomic_compare_exchange_strong(events, &busy, 0)) {
            rpc_call_unref(call);
            return;
        }
        if (worker != NULL || call->lane != RPC_LANE_INLINE) {
            queue_step(call);
            return;
        }
    }
}

void rpc_stream_post(struct rpc_call *call, uint32_t events)
{
    const uint32_t before = atomic_fetch_or(&call->stream.events, events | RPC_STREAM_BUSY);

    if (before & RPC_STREAM_BUSY) {
        return; /* whoever runs it now sees the new bits before it stops */
    }
    rpc_call_ref(call);
    if (call->lane == RPC_LANE_INLINE) {
        run_steps(call, NULL);
    } else {
        queue_step(call);
    }
}

/* --- what happens to a stream --------------------------------------------------------------------
 */

static void wake(struct rpc_waker *waker)
{
    struct rpc_stream *stream =
        (struct rpc_stream *)((char *)waker - offsetof(struct rpc_stream, waker));

    rpc_stream_post(call_of(stream), RPC_STREAM_WOKEN);
}

static void message_written(void *owner, bool ok)
{
    struct rpc_call *call = owner;

    atomic_store(&call->stream.writing_since_us, 0);
    if (ok) { /* otherwise the end of the stream is on its way */
        rpc_stream_post(call, RPC_STREAM_WRITTEN);
    }
    rpc_call_unref(call);
}

static void headers_written(void *owner, bool ok)
{
    (void)ok;
    rpc_call_unref(owner);
}

void rpc_stream_init(struct rpc_call *call)
{
    call->stream.waker.wake = wake;
    rpc_event_init(&call->stream.written, message_written, call);
    rpc_event_init(&call->stream.headers_written, headers_written, call);
}

void rpc_stream_received(struct rpc_call *call, bool ok)
{
    call->stream.waits_for_message = false;
    if (ok) {
        rpc_stream_post(call, RPC_STREAM_RECEIVED);
    }
    rpc_call_unref(call);
}

void rpc_stream_closed(struct rpc_call *call)
{
    rpc_call_list_remove(&call->server->streams, call);
    rpc_metrics_streams(&call->entry->metrics, -1);
    rpc_stream_post(call, RPC_STREAM_CLOSED);
}

void rpc_stream_begin(struct rpc_call *call)
{
    struct rpc_stream *stream = &call->stream;
    struct rpc_server *server = call->server;

    if (atomic_load(&server->stream_count) >= server->config.streams_max) {
        rpc_metrics_dropped(reason_name(REASON_SERVER_OVERLOADED));
        rpc_call_finish(call, rpc_workers_shed(&call->cx, server->lanes[RPC_LANE_STREAM]), NULL);
        return;
    }
    atomic_store(&stream->events, 0);
    atomic_store(&stream->writing_since_us, 0);
    atomic_store(&stream->cut, REASON_NONE);
    stream->expires_us =
        call->entry->method->deadline_ms_max == 0 ? INT64_MAX : call->cx.deadline_us;
    stream->waits_for_message = call->entry->shape == RPC_SHAPE_SOURCE;
    stream->source = NULL;
    stream->state = NULL;
    stream->ending = REASON_NONE;
    stream->opened = false;
    stream->has_input = false;
    stream->writing = false;
    stream->ended = false;
    stream->counted = true;
    atomic_fetch_add(&server->stream_count, 1);
    rpc_call_list_add(&server->streams, call);
    rpc_metrics_streams(&call->entry->metrics, 1);
    rpc_call_watch_close(call);
    if (call->entry->shape == RPC_SHAPE_SOURCE) {
        rpc_call_receive(call);
    } else {
        rpc_stream_post(call, RPC_STREAM_WOKEN);
        rpc_call_unref(call);
    }
}

void rpc_stream_released(struct rpc_call *call)
{
    if (call->stream.counted) {
        atomic_fetch_sub(&call->server->stream_count, 1);
    }
}

/* --- all of them ---------------------------------------------------------------------------------
 */

/* A status cannot follow a message that nobody reads; the core sends it at once when it resets. */
static void cut_off(struct rpc_stream *stream, enum reason reason)
{
    int none = REASON_NONE;

    if (atomic_compare_exchange_strong(&stream->cut, &none, (int)reason)) {
        grpc_call_cancel_with_status(
            call_of(stream)->core,
            (grpc_status_code)reason_code(reason),
            reason_text(reason),
            NULL);
    }
}

static void tick_one(struct rpc_call *call, int64_t now_us)
{
    const struct rpc_server *server = call->server;
    struct rpc_stream *stream = &call->stream;
    const bool draining = atomic_load(&server->draining);
    const int64_t stall_ms = draining ? RPC_DRAIN_STALL_MS : server->config.stream_stall_ms_max;
    const int64_t since_us = atomic_load(&stream->writing_since_us);

    if (since_us != 0 && now_us - since_us > stall_ms * 1000) {
        cut_off(stream, draining ? REASON_SERVER_SHUTTING_DOWN : REASON_STREAM_TOO_SLOW);
    } else if (now_us >= stream->expires_us) {
        stream->expires_us = INT64_MAX;
        rpc_stream_post(call, RPC_STREAM_EXPIRED);
    } else if (
        stream->waits_for_message &&
        now_us - call->started_us > (int64_t)server->config.deadline_ms_default * 1000) {
        cut_off(stream, REASON_DEADLINE_EXCEEDED);
    }
}

void rpc_stream_tick(struct rpc_server *server, int64_t now_us)
{
    struct rpc_call *next = NULL;

    for (struct rpc_call *call = server->streams.first; call != NULL; call = next) {
        next = call->listed_before;
        tick_one(call, now_us);
    }
}

void rpc_stream_post_all(struct rpc_server *server, const struct rpc_entry *entry, uint32_t events)
{
    struct rpc_call *next = NULL;

    for (struct rpc_call *call = server->streams.first; call != NULL; call = next) {
        next = call->listed_before;
        if (entry == NULL || call->entry == entry) {
            rpc_stream_post(call, events);
        }
    }
}
