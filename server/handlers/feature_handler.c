#include <billingos/v1/catalog_service.pb-c.h>

#include "base/arena.h"
#include "handlers/catalog_handler.h"
#include "handlers/catalog_pb.h"
#include "handlers/field_mask.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "services/features.h"

static const struct list_sizes page_sizes = {.fallback = 100, .max = 500};

/* The requests with what was read from them beside them. */
struct create_call {
    Billingos__V1__CreateFeatureRequest req;
    struct feature feature;
};

struct update_call {
    Billingos__V1__UpdateFeatureRequest req;
    struct feature_change change;
};

static Billingos__V1__Feature *feature_pb(struct ctx *cx, const struct feature *feature)
{
    Billingos__V1__Feature *message =
        PB_NEW(cx, Billingos__V1__Feature, billingos__v1__feature__init);

    message->feature_id = pb_id(cx, ID_FEATURE, &feature->feature_id);
    message->feature_key = pb_text(feature->key);
    message->name = pb_text(feature->name);
    message->description = pb_text(feature->description);
    message->kind = catalog_pb_kind(feature->kind);
    message->meter_key = pb_text(feature->meter_key);
    message->unit_name = pb_text(feature->unit);
    catalog_pb_texts(
        cx,
        feature->permitted_values,
        feature->permitted_count,
        &message->n_permitted_values,
        &message->permitted_values);
    message->unreachable_policy = feature->unreachable_allow
                                      ? BILLINGOS__V1__UNREACHABLE_POLICY__UNREACHABLE_POLICY_ALLOW
                                      : BILLINGOS__V1__UNREACHABLE_POLICY__UNREACHABLE_POLICY_DENY;
    message->state = catalog_pb_state(feature->archived_us);
    message->metadata = pb_map(
        cx,
        feature->metadata,
        &billingos__v1__feature__metadata_entry__descriptor,
        &message->n_metadata);
    message->etag = catalog_pb_etag(cx, feature->version);
    message->create_time = pb_time(cx, feature->created_us);
    message->update_time = pb_time(cx, feature->updated_us);
    message->credit_currency_code = pb_text(feature->credit_currency);
    return message;
}

/* Everything but the kind, which is required on creation alone. */
static struct status
read_feature(struct ctx *cx, const Billingos__V1__Feature *message, struct feature *ret_feature)
{
    if (message == NULL) {
        return status_field(cx, "feature", "is required");
    }
    *ret_feature = (struct feature){
        .key = message->feature_key,
        .name = message->name,
        .description = message->description,
        .meter_key = message->meter_key,
        .unit = message->unit_name,
        .permitted_values = (const char *const *)message->permitted_values,
        .permitted_count = message->n_permitted_values,
        .credit_currency = message->credit_currency_code,
    };
    switch (message->unreachable_policy) {
    case BILLINGOS__V1__UNREACHABLE_POLICY__UNREACHABLE_POLICY_UNSPECIFIED:
    case BILLINGOS__V1__UNREACHABLE_POLICY__UNREACHABLE_POLICY_DENY:
        break;
    case BILLINGOS__V1__UNREACHABLE_POLICY__UNREACHABLE_POLICY_ALLOW:
        ret_feature->unreachable_allow = true;
        break;
    default:
        return status_field(cx, "feature.unreachable_policy", "must be DENY or ALLOW");
    }
    return pb_read_map(
        cx, "feature.metadata", message->n_metadata, message->metadata, &ret_feature->metadata);
}

static struct status create_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct create_call *call = (const struct create_call *)(const void *)req;
    Billingos__V1__CreateFeatureResponse *response = PB_NEW(
        cx, Billingos__V1__CreateFeatureResponse, billingos__v1__create_feature_response__init);
    struct feature feature;

    (void)services;
    TRY(features_create(cx, tx, &call->feature, &feature));
    response->feature = feature_pb(cx, &feature);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status feature_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {.req = *PB_REQUEST(Billingos__V1__CreateFeatureRequest, req)};

    TRY(read_feature(cx, call.req.feature, &call.feature));
    TRY(catalog_pb_read_kind(cx, "feature.kind", call.req.feature->kind, &call.feature.kind));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__create_feature_response__descriptor,
        create_work,
        ret_response);
}

struct status feature_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetFeatureRequest *request =
        PB_REQUEST(Billingos__V1__GetFeatureRequest, req);
    Billingos__V1__GetFeatureResponse *response =
        PB_NEW(cx, Billingos__V1__GetFeatureResponse, billingos__v1__get_feature_response__init);
    struct feature feature;

    TRY(pb_check_key(cx, "feature_key", request->feature_key));
    TRY(features_get(cx, services, request->feature_key, &feature));
    response->feature = feature_pb(cx, &feature);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status feature_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListFeaturesRequest *request =
        PB_REQUEST(Billingos__V1__ListFeaturesRequest, req);
    Billingos__V1__ListFeaturesResponse *response = PB_NEW(
        cx, Billingos__V1__ListFeaturesResponse, billingos__v1__list_features_response__init);
    struct feature_filter filter = {
        .has_kind = request->kind != BILLINGOS__V1__FEATURE_KIND__FEATURE_KIND_UNSPECIFIED};
    struct feature *features = NULL;
    struct list_page page;
    size_t fetched = 0;

    if (filter.has_kind) {
        TRY(catalog_pb_read_kind(cx, "kind", request->kind, &filter.kind));
    }
    TRY(catalog_pb_read_state(cx, request->state, &filter.state));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        arena_printf(cx->arena, "features %d %d", (int)request->kind, (int)filter.state),
        &page));
    TRY(features_list(cx, services, &filter, &page.start.id, page.fetch, &features, &fetched));
    response->n_features = list_page_shown(&page, fetched);
    TRY(catalog_pb_array(cx, response->n_features, &response->features));
    for (size_t i = 0; i < response->n_features; i++) {
        const struct page_position last = {.id = features[i].feature_id};

        response->features[i] = feature_pb(cx, &features[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status update_fields(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const Billingos__V1__Feature *message,
    uint32_t *ret_bits)
{
    const struct masked_field fields[] = {
        {"name", FEATURE_NAME, message->name[0] != '\0'},
        {"description", FEATURE_DESCRIPTION, message->description[0] != '\0'},
        {"unit_name", FEATURE_UNIT, message->unit_name[0] != '\0'},
        {"permitted_values", FEATURE_PERMITTED_VALUES, message->n_permitted_values > 0},
        {"unreachable_policy", FEATURE_UNREACHABLE_POLICY, message->unreachable_policy != 0},
        {"metadata", FEATURE_METADATA, message->n_metadata > 0},
        {"feature_id", 0, false},
        {"feature_key", 0, false},
        {"state", 0, false},
        {"etag", 0, false},
        {"create_time", 0, false},
        {"update_time", 0, false},
    };

    return field_mask_read(cx, mask, fields, ARRAY_LEN(fields), ret_bits);
}

static struct status update_read(struct ctx *cx, struct update_call *call)
{
    const Billingos__V1__Feature *message = call->req.feature;
    struct feature_change *change = &call->change;

    TRY(read_feature(cx, message, &change->values));
    TRY(pb_check_key(cx, "feature.feature_key", message->feature_key));
    TRY(update_fields(cx, call->req.update_mask, message, &change->fields));
    change->has_kind = message->kind != BILLINGOS__V1__FEATURE_KIND__FEATURE_KIND_UNSPECIFIED;
    if (change->has_kind) {
        TRY(catalog_pb_read_kind(cx, "feature.kind", message->kind, &change->values.kind));
    }
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
    Billingos__V1__UpdateFeatureResponse *response = PB_NEW(
        cx, Billingos__V1__UpdateFeatureResponse, billingos__v1__update_feature_response__init);
    struct feature feature;

    (void)services;
    TRY(features_update(cx, tx, &call->change, &feature));
    response->feature = feature_pb(cx, &feature);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status feature_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct update_call call = {.req = *PB_REQUEST(Billingos__V1__UpdateFeatureRequest, req)};

    TRY(update_read(cx, &call));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__update_feature_response__descriptor,
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
    const Billingos__V1__ArchiveFeatureRequest *request =
        PB_REQUEST(Billingos__V1__ArchiveFeatureRequest, req);
    Billingos__V1__ArchiveFeatureResponse *response = PB_NEW(
        cx, Billingos__V1__ArchiveFeatureResponse, billingos__v1__archive_feature_response__init);
    struct feature feature;

    (void)services;
    TRY(features_archive(cx, tx, request->feature_key, &feature));
    response->feature = feature_pb(cx, &feature);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status feature_archive(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__ArchiveFeatureRequest request =
        *PB_REQUEST(Billingos__V1__ArchiveFeatureRequest, req);

    TRY(pb_check_key(cx, "feature_key", request.feature_key));
    return keyed_call(
        cx,
        services,
        &request.base,
        &request.request_id,
        &billingos__v1__archive_feature_response__descriptor,
        archive_work,
        ret_response);
}
