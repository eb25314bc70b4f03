#include "handlers/keyed_call.h"

#include <string.h>

#include "base/arena.h"
#include "handlers/map_order.h"
#include "rpc/rpc_scan.h"
#include "services/keyed.h"

#define REQUEST_ID_BYTES_MAX 255

/* A stored answer was packed by ourselves; it is scanned all the same, with room to spare. */
static const struct rpc_scan_limits own_answer_limits = {
    .depth_max = RPC_SCAN_DEPTH_MAX, .fields_max = 100000, .memory_max = (size_t)8 * 1024 * 1024};

struct keyed_state {
    const ProtobufCMessage *req;
    keyed_handler handler;
    ProtobufCMessage *response;
};

static struct str pack(struct ctx *cx, const ProtobufCMessage *message)
{
    const size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_alloc(cx->arena, len + 1);

    if (bytes == NULL) {
        return (struct str){"", 0};
    }
    protobuf_c_message_pack(message, bytes);
    return (struct str){(const char *)bytes, len};
}

static struct status keyed_call_work(
    struct ctx *cx, struct services *services, struct tx *tx, void *user, struct str *ret_answer)
{
    struct keyed_state *state = user;

    TRY(state->handler(cx, services, tx, state->req, &state->response));
    *ret_answer = pack(cx, state->response);
    return STATUS_OK;
}

/* The field wins; metadata idempotency-key is for callers who know it from elsewhere. */
static struct status
choose_request_id(struct ctx *cx, const char *field, const char **ret_request_id)
{
    const char *metadata = cx->idempotency_key;

    if (field[0] != '\0' && metadata[0] != '\0' && strcmp(field, metadata) != 0) {
        return status_field(
            cx, "request_id", "differs from the metadata idempotency-key; send one of them");
    }
    *ret_request_id = field[0] != '\0' ? field : metadata;
    if (strlen(*ret_request_id) > REQUEST_ID_BYTES_MAX) {
        return status_field(
            cx, "request_id", "is longer than %d bytes; a UUID is usual", REQUEST_ID_BYTES_MAX);
    }
    return STATUS_OK;
}

struct status keyed_call_key(
    struct ctx *cx, const ProtobufCMessage *req, char **request_id, struct keyed *ret_keyed)
{
    char *given = *request_id;

    *ret_keyed = (struct keyed){.request_id = ""};
    if (!cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    TRY(choose_request_id(cx, given, &ret_keyed->request_id));
    cx->idempotency_key = ret_keyed->request_id; /* the audit log names it, wherever it came from */
    *request_id = (char *)(uintptr_t) "";
    map_order((ProtobufCMessage *)(uintptr_t)req);
    ret_keyed->body = pack(cx, req);
    *request_id = given;
    return STATUS_OK;
}

struct status keyed_call(
    struct ctx *cx,
    struct services *services,
    const ProtobufCMessage *req,
    char **request_id,
    const ProtobufCMessageDescriptor *output,
    keyed_handler handler,
    ProtobufCMessage **ret_response)
{
    struct keyed_state state = {.req = req, .handler = handler};
    struct keyed keyed = {.request_id = ""};
    struct str answer = {"", 0};
    bool replayed = false;

    TRY(keyed_call_key(cx, req, request_id, &keyed));
    TRY(keyed_run(cx, services, &keyed, keyed_call_work, &state, &answer, &replayed));
    if (!replayed) {
        *ret_response = state.response;
        return STATUS_OK;
    }
    return rpc_scan_unpack(
        cx, output, (const uint8_t *)answer.ptr, answer.len, &own_answer_limits, ret_response);
}
