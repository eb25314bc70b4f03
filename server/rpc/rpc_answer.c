#include "rpc/rpc_answer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>

#include "base/deadline.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_status.h"

#define OPS_MAX 4
#define TRAILERS_MAX 2
#define DETAILS_FIRST_BYTES 4096
#define DETAILS_BYTES_MAX ((size_t)64 * 1024)

/* The parts of a batch, and what must be given back once it has started. */
struct batch {
    grpc_op ops[OPS_MAX];
    size_t op_count;
    grpc_metadata headers;
    grpc_metadata trailers[TRAILERS_MAX];
    size_t trailer_count;
    grpc_slice text;
};

static grpc_op *add(struct batch *batch, grpc_op_type type)
{
    grpc_op *op = &batch->ops[batch->op_count++];

    memset(op, 0, sizeof *op); /* the core refuses ops whose reserved parts are not zero */
    op->op = type;
    return op;
}

static void add_headers(struct batch *batch, struct rpc_call *call)
{
    grpc_op *op = add(batch, GRPC_OP_SEND_INITIAL_METADATA);

    batch->headers = (grpc_metadata){
        .key = grpc_slice_from_static_string("x-request-id"),
        .value = grpc_slice_from_copied_string(call->request_id),
    };
    op->data.send_initial_metadata.count = 1;
    op->data.send_initial_metadata.metadata = &batch->headers;
    call->headers_sent = true;
}

/* Packs straight into the memory that the transport sends from. The core exchanges the content of
 * the buffer for an empty one when the batch starts, so that one buffer serves all messages. */
static void add_message(struct batch *batch, struct rpc_call *call, const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    grpc_slice_buffer_add(&call->answer->data.raw.slice_buffer, slice);
    add(batch, GRPC_OP_SEND_MESSAGE)->data.send_message.send_message = call->answer;
}

static void add_trailer(struct batch *batch, const char *key, struct str value)
{
    batch->trailers[batch->trailer_count++] = (grpc_metadata){
        .key = grpc_slice_from_static_string(key),
        .value = grpc_slice_from_copied_buffer(value.ptr, value.len),
    };
}

/* The details are made in memory of their own: the arena of the call may be what has failed. */
static void add_details(struct batch *batch, struct status status, const char *request_id)
{
    _Alignas(max_align_t) char first[DETAILS_FIRST_BYTES] = {0};
    char retry[24];
    struct arena arena;
    struct str details;

    arena_init(&arena, first, sizeof first, DETAILS_BYTES_MAX);
    details = rpc_status_details(&arena, status, request_id);
    if (details.len > 0) {
        add_trailer(batch, "grpc-status-details-bin", details);
    }
    if (status.error->retry_ms > 0) {
        snprintf(retry, sizeof retry, "%" PRId64, status.error->retry_ms);
        add_trailer(batch, "grpc-retry-pushback-ms", str_of(retry));
    }
    arena_release(&arena);
}

static void add_status(struct batch *batch, struct rpc_call *call, struct status status)
{
    grpc_op *op = add(batch, GRPC_OP_SEND_STATUS_FROM_SERVER);

    op->data.send_status_from_server.status = (grpc_status_code)status.code;
    if (status.code != CODE_OK) {
        const struct str text = rpc_status_text(status);

        batch->text = grpc_slice_from_copied_buffer(text.ptr, text.len);
        add_details(batch, status, call->request_id);
        op->data.send_status_from_server.status_details = &batch->text;
        op->data.send_status_from_server.trailing_metadata = batch->trailers;
        op->data.send_status_from_server.trailing_metadata_count = batch->trailer_count;
    }
}

/* The core has taken its own references when it returns. */
static void start(struct batch *batch, struct rpc_call *call, struct rpc_event *event)
{
    const grpc_call_error error =
        grpc_call_start_batch(call->core, batch->ops, batch->op_count, event, NULL);

    assert(error == GRPC_CALL_OK);
    (void)error;
    grpc_slice_unref(batch->headers.value);
    grpc_slice_unref(batch->text);
    for (size_t i = 0; i < batch->trailer_count; i++) {
        grpc_slice_unref(batch->trailers[i].value);
    }
}

static void batch_init(struct batch *batch)
{
    batch->op_count = 0;
    batch->trailer_count = 0;
    batch->headers.value = grpc_empty_slice();
    batch->text = grpc_empty_slice();
}

void rpc_answer_headers(struct rpc_call *call)
{
    struct batch batch;

    batch_init(&batch);
    add_headers(&batch, call);
    rpc_call_ref(call);
    start(&batch, call, &call->stream.headers_written);
}

void rpc_answer_message(struct rpc_call *call, const ProtobufCMessage *message)
{
    struct batch batch;

    batch_init(&batch);
    if (!call->headers_sent) {
        add_headers(&batch, call);
    }
    add_message(&batch, call, message);
    call->stream.writing = true;
    atomic_store(&call->stream.writing_since_us, monotonic_us());
    rpc_call_ref(call);
    start(&batch, call, &call->stream.written);
}

void rpc_answer_final(struct rpc_call *call, struct status status, const ProtobufCMessage *message)
{
    struct batch batch;

    batch_init(&batch);
    if (!call->headers_sent) {
        add_headers(&batch, call);
    }
    if (message != NULL && status.code == CODE_OK) {
        add_message(&batch, call, message);
    }
    add_status(&batch, call, status);
    if (!call->close_watched) {
        add(&batch, GRPC_OP_RECV_CLOSE_ON_SERVER)->data.recv_close_on_server.cancelled =
            &call->cancelled;
    }
    start(&batch, call, &call->finished);
}
