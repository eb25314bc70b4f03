#include <billingos/v1/catalog_service.pb-c.h>

#include "base/arena.h"
#include "domain/field_check.h"
#include "handlers/catalog_handler.h"
#include "handlers/catalog_pb.h"
#include "handlers/field_mask.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "handlers/plan_pb.h"
#include "handlers/price_pb.h"
#include "services/plans.h"

static const struct list_sizes page_sizes = {.fallback = 20, .max = 100};

/* The requests with what was read from them beside them. */
struct create_call {
    Billingos__V1__CreatePlanRequest req;
    struct plan_input input;
};

struct update_call {
    Billingos__V1__UpdatePlanRequest req;
    struct plan_change change;
    struct id plan_id;
};

struct archive_call {
    Billingos__V1__ArchivePlanRequest req;
    struct id plan_id;
};

static struct status
read_features(struct ctx *cx, const Billingos__V1__CreatePlanRequest *req, struct plan_input *input)
{
    struct plan_feature *features = NULL;

    if (req->n_features > PLAN_FEATURES_MAX) {
        return status_field(
            cx,
            "features",
            "has %zu entries, at most %d are allowed",
            req->n_features,
            PLAN_FEATURES_MAX);
    }
    features = arena_try_alloc(cx->arena, (req->n_features + 1) * sizeof *features);
    if (features == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < req->n_features; i++) {
        TRY(plan_pb_read_feature(
            cx, field_item(cx, "features", i), req->features[i], &features[i]));
    }
    input->features = features;
    input->feature_count = req->n_features;
    return STATUS_OK;
}

static struct status
read_prices(struct ctx *cx, const Billingos__V1__CreatePlanRequest *req, struct plan_input *input)
{
    struct price *prices = NULL;

    if (req->n_prices > PLAN_PRICES_MAX) {
        return status_field(
            cx,
            "prices",
            "has %zu entries, at most %d are allowed",
            req->n_prices,
            PLAN_PRICES_MAX);
    }
    prices = arena_try_alloc(cx->arena, (req->n_prices + 1) * sizeof *prices);
    if (prices == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < req->n_prices; i++) {
        TRY(price_pb_read(cx, field_item(cx, "prices", i), req->prices[i], true, &prices[i]));
    }
    input->prices = prices;
    input->price_count = req->n_prices;
    return STATUS_OK;
}

static struct status create_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct create_call *call = (const struct create_call *)(const void *)req;
    Billingos__V1__CreatePlanResponse *response =
        PB_NEW(cx, Billingos__V1__CreatePlanResponse, billingos__v1__create_plan_response__init);
    struct plan plan;
    struct plan_version version;

    (void)services;
    TRY(plans_create(cx, tx, &call->input, &plan, &version));
    response->plan = plan_pb(cx, &plan);
    response->version = plan_pb_version(cx, &version);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status plan_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {.req = *PB_REQUEST(Billingos__V1__CreatePlanRequest, req)};

    TRY(plan_pb_read(cx, call.req.plan, &call.input.plan));
    TRY(read_features(cx, &call.req, &call.input));
    TRY(read_prices(cx, &call.req, &call.input));
    call.input.trial_days = call.req.trial_days;
    call.input.trial_needs_payment_method = call.req.trial_needs_payment_method;
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__create_plan_response__descriptor,
        create_work,
        ret_response);
}

struct status plan_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetPlanRequest *request = PB_REQUEST(Billingos__V1__GetPlanRequest, req);
    Billingos__V1__GetPlanResponse *response =
        PB_NEW(cx, Billingos__V1__GetPlanResponse, billingos__v1__get_plan_response__init);
    struct plan_ref ref = {.key = ""};
    struct id plan_id;
    struct plan plan;
    struct plan_version version;

    if (request->plan_case == BILLINGOS__V1__GET_PLAN_REQUEST__PLAN_PLAN_ID) {
        TRY(pb_read_id(cx, "plan_id", ID_PLAN, request->plan_id, &plan_id));
        ref.plan_id = &plan_id;
    } else if (request->plan_case == BILLINGOS__V1__GET_PLAN_REQUEST__PLAN_PLAN_KEY) {
        TRY(pb_check_key(cx, "plan_key", request->plan_key));
        ref.key = request->plan_key;
    } else {
        return status_field(cx, "plan", "plan_id or plan_key is required");
    }
    if (request->version < 0) {
        return status_field(cx, "version", "must not be negative");
    }
    TRY(plans_get(cx, services, &ref, request->version, &plan, &version));
    response->plan = plan_pb(cx, &plan);
    response->version = plan_pb_version(cx, &version);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status read_filter(
    struct ctx *cx, const Billingos__V1__ListPlansRequest *request, struct plan_filter *ret_filter)
{
    if ((int)request->kind < 0 || (int)request->kind > 2) {
        return status_field(cx, "kind", "must be BASE, ADDON or UNSPECIFIED");
    }
    *ret_filter = (struct plan_filter){
        .has_kind = request->kind != BILLINGOS__V1__PLAN_KIND__PLAN_KIND_UNSPECIFIED,
        .addon = request->kind == BILLINGOS__V1__PLAN_KIND__PLAN_KIND_ADDON,
        .published_only = request->published_only,
    };
    return catalog_pb_read_state(cx, request->state, &ret_filter->state);
}

struct status plan_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListPlansRequest *request =
        PB_REQUEST(Billingos__V1__ListPlansRequest, req);
    Billingos__V1__ListPlansResponse *response =
        PB_NEW(cx, Billingos__V1__ListPlansResponse, billingos__v1__list_plans_response__init);
    struct plan_filter filter;
    struct plan_page found;
    struct list_page page;

    TRY(read_filter(cx, request, &filter));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        arena_printf(
            cx->arena,
            "plans %d %d %d",
            (int)request->kind,
            (int)request->state,
            (int)request->published_only),
        &page));
    TRY(plans_list(cx, services, &filter, &page.start.id, page.fetch, &found));
    response->n_plans = list_page_shown(&page, found.count);
    TRY(catalog_pb_array(cx, response->n_plans, &response->plans));
    for (size_t i = 0; i < response->n_plans; i++) {
        const struct page_position last = {.id = found.plans[i].plan_id};

        response->plans[i] =
            PB_NEW(cx, Billingos__V1__PlanWithVersion, billingos__v1__plan_with_version__init);
        response->plans[i]->plan = plan_pb(cx, &found.plans[i]);
        response->plans[i]->version = plan_pb_version(cx, &found.versions[i]);
        response->next_page_token = list_page_next(cx, services, &page, found.count, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status update_fields(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const Billingos__V1__Plan *message,
    uint32_t *ret_bits)
{
    const struct masked_field fields[] = {
        {"name", PLAN_NAME, message->name[0] != '\0'},
        {"description", PLAN_DESCRIPTION, message->description[0] != '\0'},
        {"display_order", PLAN_DISPLAY_ORDER, message->display_order != 0},
        {"compatible_plan_keys", PLAN_COMPATIBLE_KEYS, message->n_compatible_plan_keys > 0},
        {"application_fee_basis_points",
         PLAN_APPLICATION_FEE,
         message->application_fee_basis_points != 0},
        {"metadata", PLAN_METADATA, message->n_metadata > 0},
        {"plan_id", 0, false},
        {"plan_key", 0, false},
        {"state", 0, false},
        {"published_version", 0, false},
        {"draft_version", 0, false},
        {"etag", 0, false},
        {"create_time", 0, false},
        {"update_time", 0, false},
    };

    return field_mask_read(cx, mask, fields, ARRAY_LEN(fields), ret_bits);
}

static struct status update_read(struct ctx *cx, struct update_call *call)
{
    const Billingos__V1__Plan *message = call->req.plan;
    struct plan_change *change = &call->change;

    TRY(plan_pb_read(cx, message, &change->values));
    if (message->plan_id[0] != '\0') {
        TRY(pb_read_id(cx, "plan.plan_id", ID_PLAN, message->plan_id, &call->plan_id));
        change->ref.plan_id = &call->plan_id;
    } else {
        TRY(pb_check_key(cx, "plan.plan_key", message->plan_key));
        change->ref.key = message->plan_key;
    }
    TRY(update_fields(cx, call->req.update_mask, message, &change->fields));
    change->has_kind = message->kind != BILLINGOS__V1__PLAN_KIND__PLAN_KIND_UNSPECIFIED;
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
    Billingos__V1__UpdatePlanResponse *response =
        PB_NEW(cx, Billingos__V1__UpdatePlanResponse, billingos__v1__update_plan_response__init);
    struct plan plan;

    (void)services;
    TRY(plans_update(cx, tx, &call->change, &plan));
    response->plan = plan_pb(cx, &plan);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status plan_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct update_call call = {.req = *PB_REQUEST(Billingos__V1__UpdatePlanRequest, req)};

    TRY(update_read(cx, &call));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__update_plan_response__descriptor,
        update_work,
        ret_response);
}

static struct status archive_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct archive_call *call = (const struct archive_call *)(const void *)req;
    Billingos__V1__ArchivePlanResponse *response =
        PB_NEW(cx, Billingos__V1__ArchivePlanResponse, billingos__v1__archive_plan_response__init);
    struct plan plan;

    (void)services;
    TRY(plans_archive(cx, tx, &call->plan_id, &plan));
    response->plan = plan_pb(cx, &plan);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status plan_archive(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct archive_call call = {.req = *PB_REQUEST(Billingos__V1__ArchivePlanRequest, req)};

    TRY(pb_read_id(cx, "plan_id", ID_PLAN, call.req.plan_id, &call.plan_id));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__archive_plan_response__descriptor,
        archive_work,
        ret_response);
}
