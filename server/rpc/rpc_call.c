#include "rpc/rpc_call.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>

#include "base/deadline.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "rpc/rpc_answer.h"
#include "rpc/rpc_invoke.h"
#include "rpc/rpc_server_internal.h"
#include "rpc/rpc_status.h"
#include "rpc/rpc_unary.h"

#define PATH_SHOWN_MAX 256 /* of a method that nobody knows */

static void call_arrived(void *owner, bool ok);
static void call_received(void *owner, bool ok);
static void call_closed(void *owner, bool ok);
static void call_finished(void *owner, bool ok);

static struct rpc_call *call_new(struct rpc_server *server)
{
    struct rpc_call *call = heap_new(sizeof *call);

    if (call != NULL) {
        call->server = server;
        rpc_event_init(&call->arrived, call_arrived, call);
        rpc_event_init(&call->received, call_received, call);
        rpc_event_init(&call->closed, call_closed, call);
        rpc_event_init(&call->finished, call_finished, call);
        rpc_stream_init(call);
        grpc_metadata_array_init(&call->metadata);
        call->answer = grpc_raw_byte_buffer_create(NULL, 0);
    }
    return call;
}

/* Without memory nothing is posted: the core keeps the calls until the next one is. */
void rpc_call_post(struct rpc_server *server)
{
    struct rpc_call *call = rpc_call_pool_get(&server->calls);
    grpc_completion_queue *queue = rpc_poller_queue(server->poller);
    grpc_call_error error = GRPC_CALL_OK;

    if (call == NULL) {
        call = call_new(server);
    }
    if (call == NULL) {
        log_error(NULL, "no memory for a call");
        return;
    }
    grpc_call_details_init(&call->details);
    error = grpc_server_request_call(
        server->core, &call->core, &call->details, &call->metadata, queue, queue, &call->arrived);
    if (error != GRPC_CALL_OK) { /* the server is shutting down */
        rpc_call_pool_put(&server->calls, call);
    }
}

void rpc_call_ref(struct rpc_call *call)
{
    atomic_fetch_add(&call->refs, 1);
}

/* Only what was used is zeroed again: the arena promises zeroed memory. */
static void clear_first(struct rpc_call *call)
{
    const struct arena *arena = &call->arena;
    const size_t used =
        arena->blocks == NULL ? (size_t)(arena->next - call->first) : sizeof call->first;

    memset(call->first, 0, used);
}

void rpc_call_reset_arena(struct rpc_call *call)
{
    clear_first(call);
    arena_release(&call->arena);
    arena_init(&call->arena, call->first, sizeof call->first, call->server->config.arena_bytes_max);
}

static void call_release(struct rpc_call *call)
{
    struct rpc_server *server = call->server;

    if (call->message != NULL) {
        grpc_byte_buffer_destroy(call->message);
        call->message = NULL;
    }
    if (call->entry->shape != RPC_SHAPE_UNARY) {
        rpc_stream_released(call);
    }
    rpc_peers_call_ends(server->peers, call->peer);
    clear_first(call);
    arena_release(&call->arena);
    grpc_call_unref(call->core);
    grpc_call_details_destroy(&call->details);
    call->metadata.count = 0;
    metric_add(server->inflight, -1);
    rpc_call_pool_put(&server->calls, call);
    atomic_fetch_sub(&server->live, 1);
}

void rpc_call_unref(struct rpc_call *call)
{
    if (atomic_fetch_sub(&call->refs, 1) == 1) {
        call_release(call);
    }
}

static void call_finished(void *owner, bool ok)
{
    (void)ok;
    rpc_call_unref(owner);
}

void rpc_call_watch_close(struct rpc_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    grpc_call_error error = GRPC_CALL_OK;

    op.data.recv_close_on_server.cancelled = &call->cancelled;
    call->close_watched = true;
    rpc_call_ref(call);
    error = grpc_call_start_batch(call->core, &op, 1, &call->closed, NULL);
    assert(error == GRPC_CALL_OK);
    (void)error;
}

static void call_closed(void *owner, bool ok)
{
    struct rpc_call *call = owner;
    const uint64_t one = 1;
    int wake_fd = -1;

    (void)ok;
    atomic_store(&call->canceller.gone, true);
    wake_fd = atomic_load(&call->canceller.wake_fd);
    if (wake_fd >= 0 && write(wake_fd, &one, sizeof one) < 0) {
        log_debug(&call->cx, "could not wake a worker, ignoring");
    }
    if (call->entry->shape != RPC_SHAPE_UNARY) {
        rpc_stream_closed(call);
    }
    rpc_call_unref(call);
}

enum reason rpc_call_gone_reason(const struct rpc_call *call)
{
    /* The core rounds to milliseconds. */
    return deadline_left_ms(call->cx.deadline_us, INT64_MAX) <= 1 ? REASON_DEADLINE_EXCEEDED
                                                                  : REASON_CANCELLED;
}

/* OK calls of methods that never wait are too many for a line each. */
static void log_call(const struct rpc_call *call, struct status status, int64_t duration_us)
{
    const bool quiet = status.code == CODE_OK && call->lane == RPC_LANE_INLINE;
    const enum log_level level = status.code == CODE_INTERNAL ? LOG_LEVEL_WARN
                                 : quiet                      ? LOG_LEVEL_DEBUG
                                                              : LOG_LEVEL_INFO;
    char peer[RPC_PEER_SIZE];

    if (!log_enabled(level)) {
        return;
    }
    rpc_peers_name(call->server->peers, call->peer, call->core, peer);
    if (status.code == CODE_OK) {
        LOG_AT(
            level,
            &call->cx,
            "call answered",
            LOG_TEXT("code", code_name(status.code)),
            LOG_I64("duration_us", duration_us),
            LOG_TEXT("peer", peer));
        return;
    }
    LOG_AT(
        level,
        &call->cx,
        "call failed",
        LOG_STATUS(status),
        LOG_I64("duration_us", duration_us),
        LOG_TEXT("peer", peer));
}

void rpc_call_account(struct rpc_call *call, struct status status)
{
    const int64_t duration_us = monotonic_us() - call->started_us;

    rpc_metrics_handled(&call->entry->metrics, status.code, duration_us);
    log_call(call, status, duration_us);
}

void rpc_call_finish(struct rpc_call *call, struct status status, const ProtobufCMessage *response)
{
    rpc_call_account(call, status);
    rpc_answer_final(call, rpc_status_public(&call->cx, status), response);
}

struct status rpc_call_unpack(struct rpc_call *call, struct ctx *cx)
{
    const struct rpc_method *method = call->entry->method;
    struct grpc_byte_buffer *message = TAKE(call->message);
    const grpc_slice_buffer *slices = &message->data.raw.slice_buffer;
    struct status status = rpc_invoke_check_size(
        cx, method, call->server->config.request_bytes_max, grpc_byte_buffer_length(message));
    grpc_slice whole = grpc_empty_slice();
    grpc_byte_buffer_reader reader;

    if (status.code != CODE_OK) {
        grpc_byte_buffer_destroy(message);
        return status;
    }
    if (slices->count == 1) {
        whole = grpc_slice_ref(slices->slices[0]);
    } else if (grpc_byte_buffer_reader_init(&reader, message) != 0) {
        whole = grpc_byte_buffer_reader_readall(&reader);
        grpc_byte_buffer_reader_destroy(&reader);
    }
    status = rpc_invoke_unpack(
        cx, method, GRPC_SLICE_START_PTR(whole), GRPC_SLICE_LENGTH(whole), &call->request);
    grpc_slice_unref(whole);
    grpc_byte_buffer_destroy(message);
    return status;
}

struct status rpc_call_prepare(struct rpc_call *call)
{
    const struct rpc_entry *entry = call->entry;

    if (!call->authorized) {
        TRY(rpc_invoke_authorize(&call->cx, entry->table, entry->method, call->authorization));
        call->authorized = true;
    }
    if (call->request == NULL) {
        TRY(rpc_call_unpack(call, &call->cx));
    }
    return STATUS_OK;
}

void rpc_call_receive(struct rpc_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    grpc_call_error error = GRPC_CALL_OK;

    op.data.recv_message.recv_message = &call->message;
    error = grpc_call_start_batch(call->core, &op, 1, &call->received, NULL);
    assert(error == GRPC_CALL_OK);
    (void)error;
}

void rpc_call_tick(struct rpc_server *server, int64_t now_us)
{
    const int64_t max_ms =
        atomic_load(&server->draining) ? RPC_DRAIN_STALL_MS : server->config.deadline_ms_default;
    struct rpc_call *call = NULL;

    while ((call = server->waiting.first) != NULL && now_us - call->started_us > max_ms * 1000) {
        rpc_call_list_remove(&server->waiting, call);
        grpc_call_cancel_with_status(
            call->core, GRPC_STATUS_DEADLINE_EXCEEDED, "the message did not come", NULL);
    }
}

static void call_received(void *owner, bool ok)
{
    struct rpc_call *call = owner;

    /* Orders what the last step wrote before it took its reference and asked for this message. */
    (void)atomic_load_explicit(&call->refs, memory_order_acquire);
    /* Otherwise a peer that breaks off looks like one that has said all. */
    ok = ok && (call->message != NULL || !grpc_call_failed_before_recv_message(call->core));
    if (call->entry->shape == RPC_SHAPE_UNARY) {
        rpc_call_list_remove(&call->server->waiting, call);
        rpc_unary_received(call, ok);
    } else {
        rpc_stream_received(call, ok);
    }
}

static int64_t deadline_of_peer(const struct rpc_call *call)
{
    const gpr_timespec at = gpr_convert_clock_type(call->details.deadline, GPR_CLOCK_MONOTONIC);

    if (at.tv_sec >= INT64_MAX / 1000000 - 1) {
        return INT64_MAX;
    }
    return at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

/* Unary calls always have a deadline; streams only when their method or their peer says so. */
static int64_t deadline_of(const struct rpc_call *call)
{
    const struct rpc_method *method = call->entry->method;
    const int64_t of_peer_us = deadline_of_peer(call);
    int64_t max_ms = method == NULL ? 0 : method->deadline_ms_max;
    int64_t max_us = 0;

    if (max_ms == 0 &&
        (call->entry->shape == RPC_SHAPE_SOURCE || call->entry->shape == RPC_SHAPE_INFLOW)) {
        return of_peer_us;
    }
    if (max_ms == 0) {
        max_ms = call->server->config.deadline_ms_default;
    }
    max_us = call->started_us + max_ms * 1000;
    return of_peer_us < max_us ? of_peer_us : max_us;
}

static void take_request_id(struct rpc_call *call, struct str wanted)
{
    if (rpc_metadata_is_token(wanted, RPC_REQUEST_ID_SIZE - 1)) {
        memcpy(call->request_id, wanted.ptr, wanted.len);
        call->request_id[wanted.len] = '\0';
    } else {
        rpc_request_ids_next(&call->server->request_ids, call->request_id);
    }
}

static void take_metadata(struct rpc_call *call)
{
    const struct rpc_metadata metadata = rpc_metadata_read(&call->metadata);

    take_request_id(call, metadata.request_id);
    call->authorization = "";
    if (metadata.authorization.len > 0) {
        call->authorization = str_text(&call->arena, metadata.authorization);
    }
    if (metadata.idempotency_key.len > 0) {
        call->cx.idempotency_key = str_text(&call->arena, metadata.idempotency_key);
    }
}

static struct str path_of(const struct rpc_call *call)
{
    return (struct str){
        (const char *)GRPC_SLICE_START_PTR(call->details.method),
        GRPC_SLICE_LENGTH(call->details.method),
    };
}

static void call_init(struct rpc_call *call)
{
    struct rpc_server *server = call->server;

    atomic_store_explicit(&call->refs, 1, memory_order_relaxed);
    call->entry = rpc_method_index_find(server->index, path_of(call));
    call->lane = call->entry->method == NULL ? RPC_LANE_INLINE : call->entry->method->lane;
    call->request = NULL;
    call->authorized = false;
    call->close_watched = false;
    call->headers_sent = false;
    call->stream.counted = false;
    call->started_us = monotonic_us();
    call->peer = rpc_peers_call_begins(server->peers, call->core, call->started_us);
    atomic_store_explicit(&call->canceller.gone, false, memory_order_relaxed);
    atomic_store_explicit(&call->canceller.wake_fd, -1, memory_order_relaxed);
    arena_init(&call->arena, call->first, sizeof call->first, server->config.arena_bytes_max);
    call->cx = (struct ctx){
        .arena = &call->arena,
        .now_us = wallclock_us(),
        .deadline_us = deadline_of(call),
        .canceller = &call->canceller,
        .request_id = call->request_id,
        .method = call->entry->name,
        .idempotency_key = "",
        .caller = {.actor = ""},
    };
    take_metadata(call);
}

static struct status unknown_method(struct rpc_call *call)
{
    const struct str path = path_of(call);
    const struct status status = status_of(&call->cx, call->entry->refusal);

    if (path.len > PATH_SHOWN_MAX || !str_is_utf8(path)) {
        return status;
    }
    return status_pair(&call->cx, status, "method", str_text(&call->arena, path));
}

/* What can be said without looking at a message. */
static struct status check(struct rpc_call *call)
{
    const struct str key = str_of(call->cx.idempotency_key);

    if (atomic_load_explicit(&call->server->draining, memory_order_relaxed)) {
        return status_retry(status_of(&call->cx, REASON_SERVER_SHUTTING_DOWN), RPC_DRAIN_RETRY_MS);
    }
    if (call->entry->shape == RPC_SHAPE_NONE) {
        return unknown_method(call);
    }
    if (key.len > 0 && !rpc_metadata_is_token(key, RPC_IDEMPOTENCY_KEY_MAX)) {
        return status_field(
            &call->cx,
            "idempotency-key",
            "must be at most %d printable ASCII characters without spaces",
            RPC_IDEMPOTENCY_KEY_MAX);
    }
    return rpc_invoke_settle(&call->cx, STATUS_OK);
}

static void call_arrived(void *owner, bool ok)
{
    struct rpc_call *call = owner;
    struct status status;

    if (!ok) { /* the server is shutting down */
        grpc_call_details_destroy(&call->details);
        rpc_call_pool_put(&call->server->calls, call);
        return;
    }
    rpc_call_post(call->server);
    atomic_fetch_add(&call->server->live, 1);
    metric_add(call->server->inflight, 1);
    call_init(call);
    status = check(call);
    if (status.code != CODE_OK) {
        rpc_call_finish(call, status, NULL);
    } else if (call->entry->shape == RPC_SHAPE_UNARY) {
        rpc_call_list_add(&call->server->waiting, call);
        rpc_call_receive(call);
    } else {
        rpc_stream_begin(call);
    }
}
