#include "rpc/rpc_stream_step.h"

#include <stddef.h>
#include <string.h>

#include "base/deadline.h"
#include "base/wallclock.h"
#include "rpc/rpc_answer.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_invoke.h"
#include "rpc/rpc_server_internal.h"

/* The source, or the state of the inflow, is given up exactly once, by whoever comes first. */
static void give_up(struct rpc_call *call)
{
    struct rpc_stream *stream = &call->stream;

    if (stream->source != NULL) {
        stream->source->close(stream->source);
        stream->source = NULL;
    }
    if (stream->opened && call->entry->shape == RPC_SHAPE_INFLOW) {
        call->entry->method->inflow->abort(stream->state);
    }
    stream->opened = false;
}

static void end(struct rpc_call *call, struct status status, const ProtobufCMessage *message)
{
    give_up(call);
    call->stream.ended = true;
    if (status_reason(status) == REASON_WOULD_BLOCK) {
        status = status_fail(&call->cx, REASON_INTERNAL, "the method does not run on this lane");
    }
    if (status_reason(status) == REASON_SERVER_SHUTTING_DOWN ||
        status_reason(status) == REASON_STREAM_TOO_SLOW) {
        rpc_metrics_dropped(reason_name(status_reason(status)));
    }
    rpc_call_ref(call); /* the one that the final batch takes over */
    rpc_call_finish(call, status, message);
}

/* The peer is gone, or has been cut off: there is nobody to tell. */
static void end_gone(struct rpc_call *call)
{
    const enum reason cut = (enum reason)atomic_load(&call->stream.cut);
    const enum reason reason = cut != REASON_NONE ? cut : rpc_call_gone_reason(call);

    give_up(call);
    call->stream.ended = true;
    if (cut != REASON_NONE) {
        rpc_metrics_dropped(reason_name(cut));
    }
    rpc_call_account(call, status_of(&call->cx, reason));
}

static void end_early(struct rpc_call *call, enum reason reason)
{
    struct status status = status_of(&call->cx, reason);

    if (reason == REASON_SERVER_OVERLOADED) {
        status = rpc_workers_shed(&call->cx, call->server->lanes[call->stream.full_lane]);
    } else if (reason == REASON_SERVER_SHUTTING_DOWN) {
        status = status_retry(status, RPC_DRAIN_RETRY_MS);
    }
    end(call, status, NULL);
}

/* Each message is a piece of work of its own: the time of now, and no more time than a unary call
 * would have. The memory was given back after the step before. */
static void renew(struct rpc_call *call, struct ctx *ret_cx)
{
    const int64_t limit_us = deadline_in_ms(call->server->config.deadline_ms_default);

    *ret_cx = call->cx;
    ret_cx->now_us = wallclock_us();
    ret_cx->deadline_us = limit_us < call->cx.deadline_us ? limit_us : call->cx.deadline_us;
}

/* What the first step left in the arena and later ones still name. */
static void keep_caller(struct rpc_call *call)
{
    char *actor = call->stream.actor;
    const size_t len = strnlen(call->cx.caller.actor, sizeof call->stream.actor - 1);

    memcpy(actor, call->cx.caller.actor, len);
    actor[len] = '\0';
    call->cx.caller.actor = actor;
    call->cx.idempotency_key = "";
    call->authorization = "";
    call->request = NULL;
    rpc_call_reset_arena(call);
}

static void receive(struct rpc_call *call)
{
    rpc_call_ref(call);
    rpc_call_receive(call);
}

/* Fails with WOULD_BLOCK when the first step must be run again on a worker. */
static struct status open_stream(struct rpc_call *call)
{
    const struct rpc_entry *entry = call->entry;
    struct rpc_stream *stream = &call->stream;

    if (entry->shape == RPC_SHAPE_SOURCE) {
        if (call->message == NULL && call->request == NULL) {
            return status_fail(&call->cx, REASON_MESSAGE_MALFORMED, "the call has no message");
        }
        TRY(rpc_call_prepare(call));
        TRY(entry->method->open(
            &call->cx, entry->table->services, call->request, &stream->waker, &stream->source));
        stream->opened = true;
        return rpc_invoke_settle(&call->cx, STATUS_OK);
    }
    if (!call->authorized) {
        TRY(rpc_invoke_authorize(&call->cx, entry->table, entry->method, call->authorization));
        call->authorized = true;
    }
    TRY(entry->method->inflow->begin(&call->cx, entry->table->services, &stream->state));
    stream->opened = true;
    return rpc_invoke_settle(&call->cx, STATUS_OK);
}

static enum rpc_step step_open(struct rpc_call *call, const struct rpc_worker *worker)
{
    struct status status = open_stream(call);

    if (status_reason(status) == REASON_WOULD_BLOCK && worker == NULL) {
        call->lane = RPC_LANE_DATABASE;
        return RPC_STEP_MOVE;
    }
    if (status.code != CODE_OK) {
        end(call, status, NULL);
        return RPC_STEP_DONE;
    }
    keep_caller(call);
    rpc_answer_headers(call);
    if (call->entry->shape == RPC_SHAPE_SOURCE) {
        call->lane = RPC_LANE_STREAM;
        return RPC_STEP_MOVE;
    }
    call->stream.has_input = false;
    receive(call);
    return RPC_STEP_DONE;
}

static void step_pull(struct rpc_call *call)
{
    struct rpc_source *source = call->stream.source;
    struct ctx cx;
    ProtobufCMessage *message = NULL;
    struct status status = STATUS_OK;

    renew(call, &cx);
    switch (source->next(source, &cx, &message, &status)) {
    case RPC_NEXT_READY:
        status = rpc_invoke_settle(&cx, STATUS_OK);
        if (status.code != CODE_OK) {
            end(call, status, NULL);
            return;
        }
        rpc_answer_message(call, message);
        break;
    case RPC_NEXT_PENDING:
        break;
    case RPC_NEXT_END:
        end(call, status, NULL);
        return;
    }
    rpc_call_reset_arena(call); /* an idle stream keeps nothing */
}

/* The half-close: the answer of a client stream comes with it. finish() gives the state up. */
static void step_finish(struct rpc_call *call, struct ctx *cx)
{
    ProtobufCMessage *response = NULL;
    struct status status = call->entry->method->inflow->finish(cx, call->stream.state, &response);

    call->stream.opened = false;
    end(call, rpc_invoke_settle(cx, status), response);
}

static void step_message(struct rpc_call *call)
{
    struct ctx cx;
    ProtobufCMessage *response = NULL;
    struct status status;

    renew(call, &cx);
    call->stream.has_input = false;
    if (call->message == NULL) {
        step_finish(call, &cx);
        return;
    }
    status = rpc_call_unpack(call, &cx);
    if (status.code == CODE_OK) {
        status =
            call->entry->method->inflow->message(&cx, call->stream.state, call->request, &response);
    }
    status = rpc_invoke_settle(&cx, status);
    if (status.code != CODE_OK) {
        end(call, status, NULL);
        return;
    }
    if (response != NULL) {
        rpc_answer_message(call, response);
    } else {
        receive(call);
    }
    rpc_call_reset_arena(call);
}

static void note(struct rpc_stream *stream, uint32_t events)
{
    if (events & RPC_STREAM_WRITTEN) {
        stream->writing = false;
    }
    if (events & RPC_STREAM_RECEIVED) {
        stream->has_input = true;
    }
    if (events & RPC_STREAM_OVERLOADED) {
        stream->ending = REASON_SERVER_OVERLOADED;
    } else if (events & RPC_STREAM_EXPIRED) {
        stream->ending = REASON_DEADLINE_EXCEEDED;
    } else if (events & RPC_STREAM_DRAIN) {
        stream->ending = REASON_SERVER_SHUTTING_DOWN;
    }
}

static enum rpc_step
step_on(struct rpc_call *call, const struct rpc_worker *worker, uint32_t events)
{
    struct rpc_stream *stream = &call->stream;

    if (!stream->opened) {
        const bool waits = call->entry->shape == RPC_SHAPE_SOURCE && !stream->has_input;

        return waits ? RPC_STEP_DONE : step_open(call, worker);
    }
    if (call->entry->shape == RPC_SHAPE_SOURCE) {
        step_pull(call);
    } else if (stream->has_input) {
        step_message(call);
    } else if (events & RPC_STREAM_WRITTEN) {
        receive(call); /* one message is answered before the next is read */
    }
    return RPC_STEP_DONE;
}

enum rpc_step
rpc_stream_step(struct rpc_call *call, const struct rpc_worker *worker, uint32_t events)
{
    struct rpc_stream *stream = &call->stream;
    enum rpc_step step = RPC_STEP_DONE;

    note(stream, events);
    if (stream->ended) {
        return RPC_STEP_DONE;
    }
    if (events & RPC_STREAM_CLOSED) {
        end_gone(call);
        return RPC_STEP_DONE;
    }
    if (stream->writing) {
        return RPC_STEP_DONE;
    }
    if (stream->ending != REASON_NONE) {
        end_early(call, stream->ending);
        return RPC_STEP_DONE;
    }
    call->cx.may_block = worker != NULL;
    atomic_store(&call->canceller.wake_fd, worker == NULL ? -1 : worker->wake_fd);
    step = step_on(call, worker, events);
    atomic_store(&call->canceller.wake_fd, -1);
    return step;
}
