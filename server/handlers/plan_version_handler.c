#include <billingos/v1/catalog_service.pb-c.h>

#include "base/arena.h"
#include "handlers/catalog_handler.h"
#include "handlers/catalog_pb.h"
#include "handlers/field_mask.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "handlers/plan_pb.h"
#include "services/plan_versions.h"

static const struct list_sizes page_sizes = {.fallback = 10, .max = 50};

/* The requests with what was read from them beside them. */
struct create_call {
    Billingos__V1__CreatePlanVersionRequest req;
    struct id plan_id;
};

struct update_call {
    Billingos__V1__UpdatePlanVersionRequest req;
    struct plan_version_change change;
};

struct delete_call {
    Billingos__V1__DeletePlanVersionRequest req;
    struct id plan_id;
};

struct set_call {
    Billingos__V1__SetPlanFeatureRequest req;
    struct id plan_id;
    struct plan_feature feature;
};

struct remove_call {
    Billingos__V1__RemovePlanFeatureRequest req;
    struct id plan_id;
};

/* 0 stands for "the draft there is", or is refused where a version is required. */
static struct status check_number(struct ctx *cx, const char *field, int32_t number, int32_t min)
{
    if (number >= min) {
        return STATUS_OK;
    }
    return number == 0 ? status_field(cx, field, "is required")
                       : status_field(cx, field, "must not be negative");
}

static struct status create_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct create_call *call = (const struct create_call *)(const void *)req;
    Billingos__V1__CreatePlanVersionResponse *response = PB_NEW(
        cx,
        Billingos__V1__CreatePlanVersionResponse,
        billingos__v1__create_plan_version_response__init);
    struct plan_version version;

    (void)services;
    TRY(plan_versions_create(
        cx, tx, &call->plan_id, call->req.from_version, call->req.note, &version));
    response->version = plan_pb_version(cx, &version);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status plan_version_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {.req = *PB_REQUEST(Billingos__V1__CreatePlanVersionRequest, req)};

    TRY(pb_read_id(cx, "plan_id", ID_PLAN, call.req.plan_id, &call.plan_id));
    TRY(check_number(cx, "from_version", call.req.from_version, 0));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__create_plan_version_response__descriptor,
        create_work,
        ret_response);
}

struct status plan_version_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListPlanVersionsRequest *request =
        PB_REQUEST(Billingos__V1__ListPlanVersionsRequest, req);
    Billingos__V1__ListPlanVersionsResponse *response = PB_NEW(
        cx,
        Billingos__V1__ListPlanVersionsResponse,
        billingos__v1__list_plan_versions_response__init);
    struct plan_version *versions = NULL;
    struct list_page page;
    struct id plan_id;
    size_t fetched = 0;

    TRY(pb_read_id(cx, "plan_id", ID_PLAN, request->plan_id, &plan_id));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        arena_printf(cx->arena, "plan_versions %s", request->plan_id),
        &page));
    TRY(plan_versions_list(
        cx, services, &plan_id, (int32_t)page.start.number, page.fetch, &versions, &fetched));
    response->n_versions = list_page_shown(&page, fetched);
    TRY(catalog_pb_array(cx, response->n_versions, &response->versions));
    for (size_t i = 0; i < response->n_versions; i++) {
        const struct page_position last = {.number = versions[i].number};

        response->versions[i] = plan_pb_version(cx, &versions[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status update_fields(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const Billingos__V1__PlanVersion *message,
    uint32_t *ret_bits)
{
    const struct masked_field fields[] = {
        {"trial_days", PLAN_VERSION_TRIAL_DAYS, message->trial_days != 0},
        {"trial_needs_payment_method",
         PLAN_VERSION_TRIAL_PAYMENT,
         message->trial_needs_payment_method},
        {"note", PLAN_VERSION_NOTE, message->note[0] != '\0'},
        {"plan_id", 0, false},
        {"version", 0, false},
        {"state", 0, false},
        {"subscriber_count", 0, false},
        {"etag", 0, false},
        {"create_time", 0, false},
        {"publish_time", 0, false},
    };

    return field_mask_read(cx, mask, fields, ARRAY_LEN(fields), ret_bits);
}

static struct status update_read(struct ctx *cx, struct update_call *call)
{
    const Billingos__V1__PlanVersion *message = call->req.version;
    struct plan_version_change *change = &call->change;

    if (message == NULL) {
        return status_field(cx, "version", "is required");
    }
    TRY(pb_read_id(cx, "version.plan_id", ID_PLAN, message->plan_id, &change->values.plan_id));
    TRY(check_number(cx, "version.version", message->version, 1));
    TRY(update_fields(cx, call->req.update_mask, message, &change->fields));
    change->values.number = message->version;
    change->values.trial_days = message->trial_days;
    change->values.trial_needs_payment_method = message->trial_needs_payment_method;
    change->values.note = message->note;
    change->etag = message->etag;
    return STATUS_OK;
}

static struct status update_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct update_call *call = (const struct update_call *)(const void *)req;
    Billingos__V1__UpdatePlanVersionResponse *response = PB_NEW(
        cx,
        Billingos__V1__UpdatePlanVersionResponse,
        billingos__v1__update_plan_version_response__init);
    struct plan_version version;

    (void)services;
    TRY(plan_versions_update(cx, tx, &call->change, &version));
    response->version = plan_pb_version(cx, &version);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status plan_version_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct update_call call = {.req = *PB_REQUEST(Billingos__V1__UpdatePlanVersionRequest, req)};

    TRY(update_read(cx, &call));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__update_plan_version_response__descriptor,
        update_work,
        ret_response);
}

static struct status delete_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct delete_call *call = (const struct delete_call *)(const void *)req;
    Billingos__V1__DeletePlanVersionResponse *response = PB_NEW(
        cx,
        Billingos__V1__DeletePlanVersionResponse,
        billingos__v1__delete_plan_version_response__init);

    (void)services;
    TRY(plan_versions_delete(cx, tx, &call->plan_id, call->req.version));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status plan_version_delete(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct delete_call call = {.req = *PB_REQUEST(Billingos__V1__DeletePlanVersionRequest, req)};

    TRY(pb_read_id(cx, "plan_id", ID_PLAN, call.req.plan_id, &call.plan_id));
    TRY(check_number(cx, "version", call.req.version, 1));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__delete_plan_version_response__descriptor,
        delete_work,
        ret_response);
}

static struct status set_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct set_call *call = (const struct set_call *)(const void *)req;
    Billingos__V1__SetPlanFeatureResponse *response = PB_NEW(
        cx, Billingos__V1__SetPlanFeatureResponse, billingos__v1__set_plan_feature_response__init);
    struct plan_version version;

    (void)services;
    TRY(plan_versions_set_feature(
        cx, tx, &call->plan_id, call->req.version, &call->feature, &version));
    response->version = plan_pb_version(cx, &version);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status plan_feature_set(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct set_call call = {.req = *PB_REQUEST(Billingos__V1__SetPlanFeatureRequest, req)};

    TRY(pb_read_id(cx, "plan_id", ID_PLAN, call.req.plan_id, &call.plan_id));
    TRY(check_number(cx, "version", call.req.version, 0));
    TRY(plan_pb_read_feature(cx, "feature", call.req.feature, &call.feature));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__set_plan_feature_response__descriptor,
        set_work,
        ret_response);
}

static struct status remove_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct remove_call *call = (const struct remove_call *)(const void *)req;
    Billingos__V1__RemovePlanFeatureResponse *response = PB_NEW(
        cx,
        Billingos__V1__RemovePlanFeatureResponse,
        billingos__v1__remove_plan_feature_response__init);
    struct plan_version version;

    (void)services;
    TRY(plan_versions_remove_feature(
        cx, tx, &call->plan_id, call->req.version, call->req.feature_key, &version));
    response->version = plan_pb_version(cx, &version);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status plan_feature_remove(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct remove_call call = {.req = *PB_REQUEST(Billingos__V1__RemovePlanFeatureRequest, req)};

    TRY(pb_read_id(cx, "plan_id", ID_PLAN, call.req.plan_id, &call.plan_id));
    TRY(check_number(cx, "version", call.req.version, 0));
    TRY(pb_check_key(cx, "feature_key", call.req.feature_key));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__remove_plan_feature_response__descriptor,
        remove_work,
        ret_response);
}
