#include "rpc/rpc_invoke.h"

#include "rpc/rpc_scan.h"
#include "rpc/rpc_server.h"

struct status rpc_invoke_authorize(
    struct ctx *cx,
    const struct rpc_method_table *table,
    const struct rpc_method *method,
    const char *authorization)
{
    if (table->authorize == NULL) {
        return STATUS_OK;
    }
    return table->authorize(cx, table->services, method, authorization);
}

struct status rpc_invoke_check_size(
    struct ctx *cx, const struct rpc_method *method, uint32_t bytes_max_default, size_t len)
{
    const uint32_t max =
        method->request_bytes_max != 0 ? method->request_bytes_max : bytes_max_default;

    if (len <= max) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(
            cx,
            status_fail(
                cx,
                REASON_MESSAGE_TOO_LARGE,
                "the message has %zu bytes, this method accepts %u",
                len,
                (unsigned)max),
            "bytes",
            arena_printf(cx->arena, "%zu", len)),
        "max_bytes",
        arena_printf(cx->arena, "%u", (unsigned)max));
}

struct status rpc_invoke_unpack(
    struct ctx *cx,
    const struct rpc_method *method,
    const uint8_t *bytes,
    size_t len,
    ProtobufCMessage **ret_request)
{
    const struct rpc_scan_limits limits = {
        .depth_max = RPC_SCAN_DEPTH_MAX,
        .fields_max =
            method->request_fields_max != 0 ? method->request_fields_max : RPC_SCAN_FIELDS_MAX,
        .memory_max = cx->arena->cap_bytes,
    };

    return rpc_scan_unpack(cx, method->input, bytes, len, &limits, ret_request);
}

struct status rpc_invoke_settle(struct ctx *cx, struct status status)
{
    if (status.code == CODE_OK && arena_failed(cx->arena)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    return status;
}

struct status rpc_invoke_unary(
    struct ctx *cx,
    const struct rpc_method_table *table,
    const struct rpc_method *method,
    const ProtobufCMessage *request,
    ProtobufCMessage **ret_response)
{
    ProtobufCMessage *response = NULL;

    TRY(method->unary(cx, table->services, request, &response));
    TRY(rpc_invoke_settle(cx, STATUS_OK));
    if (response == NULL) {
        return status_fail(cx, REASON_INTERNAL, "the method gave no answer");
    }
    *ret_response = response;
    return STATUS_OK;
}

struct status rpc_call_bytes(
    struct ctx *cx,
    const struct rpc_method_table *table,
    const struct rpc_method *method,
    const char *authorization,
    struct str request,
    struct str *ret_response)
{
    ProtobufCMessage *message = NULL;
    ProtobufCMessage *response = NULL;
    size_t len = 0;
    uint8_t *bytes = NULL;

    if (method->unary == NULL) {
        return status_of(cx, REASON_METHOD_NOT_IMPLEMENTED);
    }
    TRY(rpc_invoke_check_size(cx, method, RPC_REQUEST_BYTES_MAX, request.len));
    TRY(rpc_invoke_authorize(cx, table, method, authorization));
    TRY(rpc_invoke_unpack(cx, method, (const uint8_t *)request.ptr, request.len, &message));
    TRY(rpc_invoke_unary(cx, table, method, message, &response));
    len = protobuf_c_message_get_packed_size(response);
    bytes = arena_try_alloc(cx->arena, len + 1);
    if (bytes == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    protobuf_c_message_pack(response, bytes);
    *ret_response = (struct str){(const char *)bytes, len};
    return STATUS_OK;
}
