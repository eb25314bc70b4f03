#include "handlers/payment_method_handler.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "handlers/customer_pb.h"
#include "handlers/keyed_call.h"
#include "handlers/payment_method_pb.h"
#include "handlers/pb.h"
#include "services/payment_methods.h"

/* What all requests name. */
struct named {
    struct payment_method_change change;
    struct id customer_id;
};

static struct status read_id(struct ctx *cx, const char *field, const char *id)
{
    TRY(pb_check_text(cx, field, id, 1, PAYMENT_METHOD_ID_BYTES_MAX));
    return payment_method_id_valid(id) ? STATUS_OK
                                       : status_field(cx, field, "is no id of a payment method");
}

struct status payment_method_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListPaymentMethodsRequest *request =
        PB_REQUEST(Billingos__V1__ListPaymentMethodsRequest, req);
    Billingos__V1__ListPaymentMethodsResponse *response = PB_NEW(
        cx,
        Billingos__V1__ListPaymentMethodsResponse,
        billingos__v1__list_payment_methods_response__init);
    struct payment_method *methods = NULL;
    struct customer_key key;
    struct id customer_id;
    size_t count = 0;

    TRY(CUSTOMER_PB_READ_KEY(cx, request, &customer_id, &key));
    TRY(payment_methods_list(cx, services, &key, &methods, &count));
    response->n_payment_methods = count;
    response->payment_methods =
        arena_alloc(cx->arena, (count + 1) * sizeof(Billingos__V1__PaymentMethod *));
    for (size_t i = 0; i < count; i++) {
        response->payment_methods[i] = payment_method_pb(cx, &methods[i], cx->now_us);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status payment_method_attach(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__AttachPaymentMethodRequest request =
        *PB_REQUEST(Billingos__V1__AttachPaymentMethodRequest, req);
    Billingos__V1__AttachPaymentMethodResponse *response = PB_NEW(
        cx,
        Billingos__V1__AttachPaymentMethodResponse,
        billingos__v1__attach_payment_method_response__init);
    struct status result = STATUS_OK;
    struct named named = {
        .change = {
            .payment_method_id = request.payment_method_token,
            .make_default = request.make_default,
        }};
    struct payment_method method;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        CUSTOMER_PB_READ_KEY(cx, &request, &named.customer_id, &named.change.customer));
    field_note(cx, &result, read_id(cx, "payment_method_token", request.payment_method_token));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(payment_methods_attach(cx, services, &keyed, &named.change, &method));
    response->payment_method = payment_method_pb(cx, &method, cx->now_us);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status read_subscriptions(
    struct ctx *cx,
    const Billingos__V1__SetDefaultPaymentMethodRequest *request,
    struct payment_method_change *change)
{
    const size_t count = request->n_subscription_ids;
    struct id *ids = NULL;

    TRY(pb_check_count(cx, "subscription_ids", count, PAYMENT_METHOD_SUBSCRIPTIONS_MAX));
    ids = arena_alloc(cx->arena, (count + 1) * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        TRY(pb_read_id(
            cx,
            field_item(cx, "subscription_ids", i),
            ID_SUBSCRIPTION,
            request->subscription_ids[i],
            &ids[i]));
    }
    change->subscription_ids = ids;
    change->subscription_count = count;
    return STATUS_OK;
}

struct status payment_method_set_default(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__SetDefaultPaymentMethodRequest request =
        *PB_REQUEST(Billingos__V1__SetDefaultPaymentMethodRequest, req);
    Billingos__V1__SetDefaultPaymentMethodResponse *response = PB_NEW(
        cx,
        Billingos__V1__SetDefaultPaymentMethodResponse,
        billingos__v1__set_default_payment_method_response__init);
    struct status result = STATUS_OK;
    struct named named = {.change = {.payment_method_id = request.payment_method_id}};
    struct customer customer;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        CUSTOMER_PB_READ_KEY(cx, &request, &named.customer_id, &named.change.customer));
    field_note(cx, &result, read_id(cx, "payment_method_id", request.payment_method_id));
    field_note(cx, &result, read_subscriptions(cx, &request, &named.change));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(payment_methods_set_default(cx, services, &keyed, &named.change, &customer));
    response->customer = customer_pb(cx, &customer);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status payment_method_detach(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__DetachPaymentMethodRequest request =
        *PB_REQUEST(Billingos__V1__DetachPaymentMethodRequest, req);
    Billingos__V1__DetachPaymentMethodResponse *response = PB_NEW(
        cx,
        Billingos__V1__DetachPaymentMethodResponse,
        billingos__v1__detach_payment_method_response__init);
    struct status result = STATUS_OK;
    struct named named = {.change = {.payment_method_id = request.payment_method_id}};
    struct keyed keyed;

    field_note(
        cx,
        &result,
        CUSTOMER_PB_READ_KEY(cx, &request, &named.customer_id, &named.change.customer));
    field_note(cx, &result, read_id(cx, "payment_method_id", request.payment_method_id));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(payment_methods_detach(cx, services, &keyed, &named.change));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
