#include "handlers/customer_handler.h"

#include <billingos/v1/customer_service.pb-c.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "handlers/customer_pb.h"
#include "handlers/field_mask.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "services/customers.h"

static const struct list_sizes page_sizes = {.fallback = 50, .max = 200};

/* The requests with what was read from them beside them. */
struct create_call {
    Billingos__V1__CreateCustomerRequest req;
    struct customer customer;
};

struct update_call {
    Billingos__V1__UpdateCustomerRequest req;
    struct customer_change change;
    struct id customer_id;
};

struct archive_call {
    Billingos__V1__ArchiveCustomerRequest req;
    struct customer_key key;
    struct id customer_id;
};

struct restore_call {
    Billingos__V1__RestoreCustomerRequest req;
    struct id customer_id;
};

static struct status create_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct create_call *call = (const struct create_call *)(const void *)req;
    Billingos__V1__CreateCustomerResponse *response = PB_NEW(
        cx, Billingos__V1__CreateCustomerResponse, billingos__v1__create_customer_response__init);
    struct customer customer;

    TRY(customers_create(cx, services, tx, &call->customer, &customer));
    response->customer = customer_pb(cx, &customer);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status customer_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {.req = *PB_REQUEST(Billingos__V1__CreateCustomerRequest, req)};

    TRY(customer_pb_read(cx, call.req.customer, &call.customer));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__create_customer_response__descriptor,
        create_work,
        ret_response);
}

struct status customer_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetCustomerRequest *request =
        PB_REQUEST(Billingos__V1__GetCustomerRequest, req);
    Billingos__V1__GetCustomerResponse *response =
        PB_NEW(cx, Billingos__V1__GetCustomerResponse, billingos__v1__get_customer_response__init);
    struct customer customer;
    struct customer_key key;
    struct id id;

    TRY(CUSTOMER_PB_READ_KEY(cx, request, &id, &key));
    TRY(customers_get(cx, services, &key, &customer));
    response->customer = customer_pb(cx, &customer);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status update_fields(
    struct ctx *cx,
    const Google__Protobuf__FieldMask *mask,
    const Billingos__V1__Customer *message,
    uint32_t *ret_bits)
{
    const struct masked_field fields[] = {
        /* Without customer_id it is what names the customer. */
        {"external_customer_id", CUSTOMER_EXTERNAL_ID, message->external_customer_id[0] != '\0'},
        {"email", CUSTOMER_EMAIL, message->email[0] != '\0'},
        {"name", CUSTOMER_NAME, message->name[0] != '\0'},
        {"phone", CUSTOMER_PHONE, message->phone[0] != '\0'},
        {"address", CUSTOMER_ADDRESS, message->address != NULL},
        {"currency_code", CUSTOMER_CURRENCY, message->currency_code[0] != '\0'},
        {"locale", CUSTOMER_LOCALE, message->locale[0] != '\0'},
        {"time_zone", CUSTOMER_TIME_ZONE, message->time_zone[0] != '\0'},
        {"tax_exemption", CUSTOMER_TAX_EXEMPTION, message->tax_exemption != 0},
        {"metadata", CUSTOMER_METADATA, message->n_metadata > 0},
        {"customer_id", 0, false},
        {"status", 0, false},
        {"default_payment_method_id", 0, false},
        {"balance", 0, false},
        {"etag", 0, false},
        {"create_time", 0, false},
        {"update_time", 0, false},
        {"archive_time", 0, false},
    };

    return field_mask_read(cx, mask, fields, ARRAY_LEN(fields), ret_bits);
}

static struct status update_read(struct ctx *cx, struct update_call *call)
{
    const Billingos__V1__Customer *message = call->req.customer;
    struct customer_change *change = &call->change;

    if (message == NULL) {
        return status_field(cx, "customer", "is required");
    }
    TRY(customer_pb_read(cx, message, &change->values));
    TRY(update_fields(cx, call->req.update_mask, message, &change->fields));
    if (message->customer_id[0] != '\0') {
        TRY(pb_read_id(
            cx, "customer.customer_id", ID_CUSTOMER, message->customer_id, &call->customer_id));
        change->key.customer_id = &call->customer_id;
    } else {
        TRY(pb_check_text(
            cx,
            "customer.external_customer_id",
            message->external_customer_id,
            1,
            CUSTOMER_EXTERNAL_ID_BYTES_MAX));
        change->key.external_id = message->external_customer_id;
        change->fields &= ~(uint32_t)CUSTOMER_EXTERNAL_ID;
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
    Billingos__V1__UpdateCustomerResponse *response = PB_NEW(
        cx, Billingos__V1__UpdateCustomerResponse, billingos__v1__update_customer_response__init);
    struct customer customer;

    TRY(customers_update(cx, services, tx, &call->change, &customer));
    response->customer = customer_pb(cx, &customer);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status customer_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct update_call call = {.req = *PB_REQUEST(Billingos__V1__UpdateCustomerRequest, req)};

    TRY(update_read(cx, &call));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__update_customer_response__descriptor,
        update_work,
        ret_response);
}

static struct status read_filter(
    struct ctx *cx,
    const Billingos__V1__ListCustomersRequest *request,
    struct customer_filter *ret_filter)
{
    const Billingos__V1__TimeRange *range = request->create_range;
    struct status result = STATUS_OK;

    *ret_filter = (struct customer_filter){
        .email = request->email,
        .external_id_prefix = request->external_id_prefix,
        .state = (enum customer_state)request->status,
    };
    if ((int)request->status < CUSTOMER_ANY || (int)request->status > CUSTOMER_OUT_OF_USE) {
        field_note(
            cx, &result, status_field(cx, "status", "must be ACTIVE, ARCHIVED or UNSPECIFIED"));
    }
    field_note(cx, &result, pb_check_text(cx, "email", request->email, 0, 254));
    field_note(
        cx,
        &result,
        pb_check_text(
            cx,
            "external_id_prefix",
            request->external_id_prefix,
            0,
            CUSTOMER_EXTERNAL_ID_BYTES_MAX));
    if (range != NULL) {
        field_note(
            cx,
            &result,
            pb_read_time(cx, "create_range.start_time", range->start_time, &ret_filter->from_us));
        field_note(
            cx,
            &result,
            pb_read_time(cx, "create_range.end_time", range->end_time, &ret_filter->until_us));
    }
    if (ret_filter->until_us != 0 && ret_filter->until_us < ret_filter->from_us) {
        field_note(cx, &result, status_field(cx, "create_range", "ends before it starts"));
    }
    return result;
}

struct status customer_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListCustomersRequest *request =
        PB_REQUEST(Billingos__V1__ListCustomersRequest, req);
    Billingos__V1__ListCustomersResponse *response = PB_NEW(
        cx, Billingos__V1__ListCustomersResponse, billingos__v1__list_customers_response__init);
    struct customer_position before;
    struct customer_filter filter;
    struct customer *customers = NULL;
    struct list_page page;
    size_t fetched = 0;

    TRY(read_filter(cx, request, &filter));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        arena_printf(
            cx->arena,
            "customers %zu %s %zu %s %d %" PRId64 " %" PRId64,
            strlen(filter.email),
            filter.email,
            strlen(filter.external_id_prefix),
            filter.external_id_prefix,
            (int)filter.state,
            filter.from_us,
            filter.until_us),
        &page));
    before = (struct customer_position){page.start.number, page.start.id};
    TRY(customers_list(cx, services, &filter, &before, page.fetch, &customers, &fetched));
    response->n_customers = list_page_shown(&page, fetched);
    response->customers =
        arena_alloc(cx->arena, (response->n_customers + 1) * sizeof(Billingos__V1__Customer *));
    for (size_t i = 0; i < response->n_customers; i++) {
        const struct page_position last = {customers[i].created_us, customers[i].customer_id};

        response->customers[i] = customer_pb(cx, &customers[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status archive_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct archive_call *call = (const struct archive_call *)(const void *)req;
    Billingos__V1__ArchiveCustomerResponse *response = PB_NEW(
        cx, Billingos__V1__ArchiveCustomerResponse, billingos__v1__archive_customer_response__init);
    struct customer customer;

    TRY(customers_archive(cx, services, tx, &call->key, &customer));
    response->customer = customer_pb(cx, &customer);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status customer_archive(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct archive_call call = {.req = *PB_REQUEST(Billingos__V1__ArchiveCustomerRequest, req)};

    TRY(CUSTOMER_PB_READ_KEY(cx, &call.req, &call.customer_id, &call.key));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__archive_customer_response__descriptor,
        archive_work,
        ret_response);
}

static struct status restore_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct restore_call *call = (const struct restore_call *)(const void *)req;
    Billingos__V1__RestoreCustomerResponse *response = PB_NEW(
        cx, Billingos__V1__RestoreCustomerResponse, billingos__v1__restore_customer_response__init);
    struct customer customer;

    TRY(customers_restore(cx, services, tx, &call->customer_id, &customer));
    response->customer = customer_pb(cx, &customer);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status customer_restore(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct restore_call call = {.req = *PB_REQUEST(Billingos__V1__RestoreCustomerRequest, req)};

    TRY(pb_read_id(cx, "customer_id", ID_CUSTOMER, call.req.customer_id, &call.customer_id));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__restore_customer_response__descriptor,
        restore_work,
        ret_response);
}
