#include <billingos/v1/catalog_service.pb-c.h>

#include "base/arena.h"
#include "domain/field_check.h"
#include "handlers/catalog_handler.h"
#include "handlers/keyed_call.h"
#include "handlers/pb.h"
#include "handlers/plan_pb.h"
#include "rpc/rpc_scan.h"
#include "services/catalog_publish.h"
#include "services/keyed.h"

/* The answer was packed by ourselves; it is scanned all the same, with room to spare. */
static const struct rpc_scan_limits own_answer_limits = {
    .depth_max = RPC_SCAN_DEPTH_MAX, .fields_max = 100000, .memory_max = (size_t)8 * 1024 * 1024};

static struct status pack(
    struct ctx *cx,
    const struct plan *plan,
    const struct plan_version *version,
    struct str *ret_answer)
{
    Billingos__V1__PublishPlanResponse *response =
        PB_NEW(cx, Billingos__V1__PublishPlanResponse, billingos__v1__publish_plan_response__init);
    uint8_t *bytes = NULL;
    size_t len = 0;

    response->plan = plan_pb(cx, plan);
    response->version = plan_pb_version(cx, version);
    len = protobuf_c_message_get_packed_size(&response->base);
    bytes = arena_try_alloc(cx->arena, len + 1);
    if (bytes == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    protobuf_c_message_pack(&response->base, bytes);
    *ret_answer = (struct str){(const char *)bytes, len};
    return STATUS_OK;
}

struct status plan_publish(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__PublishPlanRequest request = *PB_REQUEST(Billingos__V1__PublishPlanRequest, req);
    struct keyed keyed = {.request_id = ""};
    struct str answer = {"", 0};
    struct id plan_id;

    TRY(pb_read_id(cx, "plan_id", ID_PLAN, request.plan_id, &plan_id));
    TRY(field_check_range(cx, "version", request.version, 0, INT32_MAX));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    cx->idempotency_key = keyed.request_id; /* for the audit log */
    TRY(catalog_publish(cx, services, &keyed, &plan_id, request.version, pack, &answer));
    return rpc_scan_unpack(
        cx,
        &billingos__v1__publish_plan_response__descriptor,
        (const uint8_t *)answer.ptr,
        answer.len,
        &own_answer_limits,
        ret_response);
}
