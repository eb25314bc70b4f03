#include <billingos/v1/catalog_service.pb-c.h>

#include "base/arena.h"
#include "handlers/catalog_handler.h"
#include "handlers/catalog_pb.h"
#include "handlers/field_mask.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "services/meters.h"

static const struct list_sizes page_sizes = {.fallback = 100, .max = 500};

/* The requests with what was read from them beside them. */
struct create_call {
    Billingos__V1__CreateMeterRequest req;
    struct meter meter;
};

struct update_call {
    Billingos__V1__UpdateMeterRequest req;
    struct meter_change change;
};

static Billingos__V1__Meter *meter_pb(struct ctx *cx, const struct meter *meter)
{
    Billingos__V1__Meter *message = PB_NEW(cx, Billingos__V1__Meter, billingos__v1__meter__init);

    message->meter_id = pb_id(cx, ID_METER, &meter->meter_id);
    message->meter_key = pb_text(meter->key);
    message->name = pb_text(meter->name);
    message->description = pb_text(meter->description);
    message->aggregation = (Billingos__V1__MeterAggregation)meter->aggregation;
    message->value_property = pb_text(meter->value_property);
    message->unit_name = pb_text(meter->unit);
    catalog_pb_texts(
        cx,
        meter->dimensions,
        meter->dimension_count,
        &message->n_dimensions,
        &message->dimensions);
    message->durability = meter->async ? BILLINGOS__V1__USAGE_DURABILITY__USAGE_DURABILITY_ASYNC
                                       : BILLINGOS__V1__USAGE_DURABILITY__USAGE_DURABILITY_SYNC;
    message->state = catalog_pb_state(meter->archived_us);
    message->metadata = pb_map(
        cx,
        meter->metadata,
        &billingos__v1__meter__metadata_entry__descriptor,
        &message->n_metadata);
    message->etag = catalog_pb_etag(cx, meter->version);
    message->create_time = pb_time(cx, meter->created_us);
    message->update_time = pb_time(cx, meter->updated_us);
    return message;
}

/* Everything but the aggregation, which is required on creation alone. */
static struct status
read_meter(struct ctx *cx, const Billingos__V1__Meter *message, struct meter *ret_meter)
{
    if (message == NULL) {
        return status_field(cx, "meter", "is required");
    }
    *ret_meter = (struct meter){
        .key = message->meter_key,
        .name = message->name,
        .description = message->description,
        .aggregation = METER_SUM,
        .value_property = message->value_property,
        .unit = message->unit_name,
        .dimensions = (const char *const *)message->dimensions,
        .dimension_count = message->n_dimensions,
        .stripe_meter_id = "",
    };
    if (message->filter[0] != '\0') {
        return status_field(cx, "meter.filter", "is not supported yet");
    }
    switch (message->durability) {
    case BILLINGOS__V1__USAGE_DURABILITY__USAGE_DURABILITY_UNSPECIFIED:
    case BILLINGOS__V1__USAGE_DURABILITY__USAGE_DURABILITY_SYNC:
        break;
    case BILLINGOS__V1__USAGE_DURABILITY__USAGE_DURABILITY_ASYNC:
        ret_meter->async = true;
        break;
    default:
        return status_field(cx, "meter.durability", "must be SYNC or ASYNC");
    }
    return pb_read_map(
        cx, "meter.metadata", message->n_metadata, message->metadata, &ret_meter->metadata);
}

static struct status create_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct create_call *call = (const struct create_call *)(const void *)req;
    Billingos__V1__CreateMeterResponse *response =
        PB_NEW(cx, Billingos__V1__CreateMeterResponse, billingos__v1__create_meter_response__init);
    struct meter meter;

    (void)services;
    TRY(meters_create(cx, tx, &call->meter, &meter));
    response->meter = meter_pb(cx, &meter);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status meter_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {.req = *PB_REQUEST(Billingos__V1__CreateMeterRequest, req)};

    TRY(read_meter(cx, call.req.meter, &call.meter));
    if ((int)call.req.meter->aggregation < METER_SUM ||
        (int)call.req.meter->aggregation > METER_TIME_WEIGHTED) {
        return status_field(cx, "meter.aggregation", "is required, and one of SUM and COUNT");
    }
    call.meter.aggregation = (enum meter_aggregation)call.req.meter->aggregation;
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__create_meter_response__descriptor,
        create_work,
        ret_response);
}

struct status meter_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetMeterRequest *request = PB_REQUEST(Billingos__V1__GetMeterRequest, req);
    Billingos__V1__GetMeterResponse *response =
        PB_NEW(cx, Billingos__V1__GetMeterResponse, billingos__v1__get_meter_response__init);
    struct meter meter;

    TRY(pb_check_key(cx, "meter_key", request->meter_key));
    TRY(meters_get(cx, services, request->meter_key, &meter));
    response->meter = meter_pb(cx, &meter);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status meter_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListMetersRequest *request =
        PB_REQUEST(Billingos__V1__ListMetersRequest, req);
    Billingos__V1__ListMetersResponse *response =
        PB_NEW(cx, Billingos__V1__ListMetersResponse, billingos__v1__list_meters_response__init);
    enum catalog_state state = CATALOG_ANY;
    struct meter *meters = NULL;
    struct list_page page;
    size_t fetched = 0;

    TRY(catalog_pb_read_state(cx, request->state, &state));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        arena_printf(cx->arena, "meters %d", (int)state),
        &page));
    TRY(meters_list(cx, services, state, &page.start.id, page.fetch, &meters, &fetched));
    response->n_meters = list_page_shown(&page, fetched);
    TRY(catalog_pb_array(cx, response->n_meters, &response->meters));
    for (size_t i = 0; i < response->n_meters; i++) {
        const struct page_position last = {.id = meters[i].meter_id};

        response->meters[i] = meter_pb(cx, &meters[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status update_fields(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const Billingos__V1__Meter *message,
    uint32_t *ret_bits)
{
    const struct masked_field fields[] = {
        {"name", METER_NAME, message->name[0] != '\0'},
        {"description", METER_DESCRIPTION, message->description[0] != '\0'},
        {"unit_name", METER_UNIT, message->unit_name[0] != '\0'},
        {"dimensions", METER_DIMENSIONS, message->n_dimensions > 0},
        {"durability", METER_DURABILITY, message->durability != 0},
        {"metadata", METER_METADATA, message->n_metadata > 0},
        {"meter_id", 0, false},
        {"meter_key", 0, false},
        {"state", 0, false},
        {"etag", 0, false},
        {"create_time", 0, false},
        {"update_time", 0, false},
    };

    return field_mask_read(cx, mask, fields, ARRAY_LEN(fields), ret_bits);
}

static struct status update_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct update_call *call = (const struct update_call *)(const void *)req;
    Billingos__V1__UpdateMeterResponse *response =
        PB_NEW(cx, Billingos__V1__UpdateMeterResponse, billingos__v1__update_meter_response__init);
    struct meter meter;

    (void)services;
    TRY(meters_update(cx, tx, &call->change, &meter));
    response->meter = meter_pb(cx, &meter);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status meter_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct update_call call = {.req = *PB_REQUEST(Billingos__V1__UpdateMeterRequest, req)};
    const Billingos__V1__Meter *message = call.req.meter;

    TRY(read_meter(cx, message, &call.change.values));
    TRY(pb_check_key(cx, "meter.meter_key", message->meter_key));
    TRY(update_fields(cx, call.req.update_mask, message, &call.change.fields));
    call.change.etag = message->etag;
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__update_meter_response__descriptor,
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
    const Billingos__V1__ArchiveMeterRequest *request =
        PB_REQUEST(Billingos__V1__ArchiveMeterRequest, req);
    Billingos__V1__ArchiveMeterResponse *response = PB_NEW(
        cx, Billingos__V1__ArchiveMeterResponse, billingos__v1__archive_meter_response__init);
    struct meter meter;

    (void)services;
    TRY(meters_archive(cx, tx, request->meter_key, &meter));
    response->meter = meter_pb(cx, &meter);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status meter_archive(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__ArchiveMeterRequest request =
        *PB_REQUEST(Billingos__V1__ArchiveMeterRequest, req);

    TRY(pb_check_key(cx, "meter_key", request.meter_key));
    return keyed_call(
        cx,
        services,
        &request.base,
        &request.request_id,
        &billingos__v1__archive_meter_response__descriptor,
        archive_work,
        ret_response);
}
