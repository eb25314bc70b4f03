#include <billingos/v1/catalog_service.pb-c.h>
#include <inttypes.h>

#include "base/arena.h"
#include "domain/field_check.h"
#include "handlers/catalog_handler.h"
#include "handlers/catalog_pb.h"
#include "handlers/field_mask.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "handlers/price_pb.h"
#include "services/prices.h"

static const struct list_sizes page_sizes = {.fallback = 50, .max = 200};

/* The requests with what was read from them beside them. */
struct create_call {
    Billingos__V1__CreatePriceRequest req;
    struct id plan_id;
    struct price price;
};

struct update_call {
    Billingos__V1__UpdatePriceRequest req;
    struct price_change change;
};

struct archive_call {
    Billingos__V1__ArchivePriceRequest req;
    struct id price_id;
};

static struct status create_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct create_call *call = (const struct create_call *)(const void *)req;
    Billingos__V1__CreatePriceResponse *response =
        PB_NEW(cx, Billingos__V1__CreatePriceResponse, billingos__v1__create_price_response__init);
    struct price price;

    (void)services;
    TRY(prices_create(cx, tx, &call->plan_id, call->req.version, &call->price, &price));
    response->price = price_pb(cx, &price);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status price_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {.req = *PB_REQUEST(Billingos__V1__CreatePriceRequest, req)};

    TRY(pb_read_id(cx, "plan_id", ID_PLAN, call.req.plan_id, &call.plan_id));
    TRY(field_check_range(cx, "version", call.req.version, 0, INT32_MAX));
    TRY(price_pb_read(cx, "price", call.req.price, true, &call.price));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__create_price_response__descriptor,
        create_work,
        ret_response);
}

struct status price_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetPriceRequest *request = PB_REQUEST(Billingos__V1__GetPriceRequest, req);
    Billingos__V1__GetPriceResponse *response =
        PB_NEW(cx, Billingos__V1__GetPriceResponse, billingos__v1__get_price_response__init);
    struct id price_id;
    struct price price;

    TRY(pb_read_id(cx, "price_id", ID_PRICE, request->price_id, &price_id));
    TRY(prices_get(cx, services, &price_id, &price));
    response->price = price_pb(cx, &price);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status read_filter(
    struct ctx *cx,
    const Billingos__V1__ListPricesRequest *request,
    struct id *plan_id,
    struct price_filter *ret_filter)
{
    *ret_filter = (struct price_filter){
        .plan_version = request->version,
        .currency = request->currency_code,
    };
    if (request->plan_id[0] != '\0') {
        TRY(pb_read_id(cx, "plan_id", ID_PLAN, request->plan_id, plan_id));
        ret_filter->plan_id = plan_id;
    } else if (request->version != 0) {
        return status_field(cx, "version", "needs plan_id");
    }
    if (request->currency_code[0] != '\0') {
        TRY(field_check_currency(cx, "currency_code", request->currency_code));
    }
    TRY(field_check_range(cx, "version", request->version, 0, INT32_MAX));
    return catalog_pb_read_state(cx, request->state, &ret_filter->state);
}

struct status price_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListPricesRequest *request =
        PB_REQUEST(Billingos__V1__ListPricesRequest, req);
    Billingos__V1__ListPricesResponse *response =
        PB_NEW(cx, Billingos__V1__ListPricesResponse, billingos__v1__list_prices_response__init);
    struct price_position before;
    struct price_filter filter;
    struct price *prices = NULL;
    struct list_page page;
    struct id plan_id;
    size_t fetched = 0;

    TRY(read_filter(cx, request, &plan_id, &filter));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        arena_printf(
            cx->arena,
            "prices %s %" PRId32 " %s %d",
            request->plan_id,
            request->version,
            request->currency_code,
            (int)request->state),
        &page));
    before = (struct price_position){page.start.number, page.start.id};
    TRY(prices_list(cx, services, &filter, &before, page.fetch, &prices, &fetched));
    response->n_prices = list_page_shown(&page, fetched);
    TRY(catalog_pb_array(cx, response->n_prices, &response->prices));
    for (size_t i = 0; i < response->n_prices; i++) {
        const struct page_position last = {prices[i].created_us, prices[i].price_id};

        response->prices[i] = price_pb(cx, &prices[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status update_fields(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const Billingos__V1__Price *message,
    uint32_t *ret_bits)
{
    const struct masked_field fields[] = {
        {"name", PRICE_NAME, message->name[0] != '\0'},
        {"metadata", PRICE_METADATA, message->n_metadata > 0},
        {"price_key", PRICE_KEY, message->price_key[0] != '\0'},
        {"model", PRICE_MODEL, message->model != 0},
        {"currency_code", PRICE_CURRENCY, message->currency_code[0] != '\0'},
        {"interval", PRICE_INTERVAL, message->interval != 0},
        {"interval_count", PRICE_INTERVAL_COUNT, message->interval_count != 0},
        {"meter_key", PRICE_METER, message->meter_key[0] != '\0'},
        {"unit_price", PRICE_UNIT, message->unit_price != NULL},
        {"unit_price_decimal", PRICE_UNIT, message->unit_price_decimal[0] != '\0'},
        {"tiers", PRICE_TIERS, message->n_tiers > 0},
        {"package_size", PRICE_PACKAGE_SIZE, message->package_size != 0},
        {"quantity_min", PRICE_QUANTITY_MIN, message->quantity_min != 0},
        {"quantity_max", PRICE_QUANTITY_MAX, message->quantity_max != 0},
        {"tax_behavior", PRICE_TAX, message->tax_behavior != 0},
        {"price_id", 0, false},
        {"plan_id", 0, false},
        {"plan_version", 0, false},
        {"state", 0, false},
        {"etag", 0, false},
        {"create_time", 0, false},
        {"update_time", 0, false},
    };

    return field_mask_read(cx, mask, fields, ARRAY_LEN(fields), ret_bits);
}

/* An enum that the mask names must have a value. */
static struct status
update_check(struct ctx *cx, const Billingos__V1__Price *message, uint32_t fields)
{
    if ((fields & PRICE_MODEL) != 0 && message->model == 0) {
        return status_field(cx, "price.model", "is required");
    }
    if ((fields & PRICE_INTERVAL) != 0 && message->interval == 0) {
        return status_field(cx, "price.interval", "is required");
    }
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
    Billingos__V1__UpdatePriceResponse *response =
        PB_NEW(cx, Billingos__V1__UpdatePriceResponse, billingos__v1__update_price_response__init);
    struct price price;

    (void)services;
    TRY(prices_update(cx, tx, &call->change, &price));
    response->price = price_pb(cx, &price);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status price_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct update_call call = {.req = *PB_REQUEST(Billingos__V1__UpdatePriceRequest, req)};
    const Billingos__V1__Price *message = call.req.price;
    struct price_change *change = &call.change;

    TRY(price_pb_read(cx, "price", message, false, &change->values));
    TRY(pb_read_id(cx, "price.price_id", ID_PRICE, message->price_id, &change->values.price_id));
    TRY(update_fields(cx, call.req.update_mask, message, &change->fields));
    TRY(update_check(cx, message, change->fields));
    change->etag = message->etag;
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__update_price_response__descriptor,
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
    Billingos__V1__ArchivePriceResponse *response = PB_NEW(
        cx, Billingos__V1__ArchivePriceResponse, billingos__v1__archive_price_response__init);
    struct price price;

    (void)services;
    TRY(prices_archive(cx, tx, &call->price_id, &price));
    response->price = price_pb(cx, &price);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status price_archive(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct archive_call call = {.req = *PB_REQUEST(Billingos__V1__ArchivePriceRequest, req)};

    TRY(pb_read_id(cx, "price_id", ID_PRICE, call.req.price_id, &call.price_id));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__archive_price_response__descriptor,
        archive_work,
        ret_response);
}
