#include "handlers/invoice_handler.h"
#include "handlers/invoice_pb.h"
#include "handlers/keyed_call.h"
#include "handlers/pb.h"
#include "services/invoice_acts.h"
#include "services/keyed.h"

#define NOTE_BYTES_MAX 2000 /* 500 characters of up to 4 bytes */
#define PAYMENT_METHOD_BYTES_MAX 255

/* What the requests have in common. */
struct act_call {
    const ProtobufCMessage *request;
    const char *invoice_id;
    char **request_id;
};

static struct status
act(struct ctx *cx,
    void *services,
    const struct act_call *call,
    struct invoice_order *order,
    Billingos__V1__Invoice **ret_invoice)
{
    struct invoice invoice;
    struct keyed keyed;

    TRY(pb_read_id(cx, "invoice_id", ID_INVOICE, call->invoice_id, &order->invoice_id));
    TRY(pb_check_text(cx, "note", order->note, 0, NOTE_BYTES_MAX));
    TRY(keyed_call_key(cx, call->request, call->request_id, &keyed));
    TRY(invoices_act(cx, services, &keyed, order, &invoice));
    *ret_invoice = invoice_pb(cx, &invoice);
    return STATUS_OK;
}

struct status invoice_finalize(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__FinalizeInvoiceRequest request =
        *PB_REQUEST(Billingos__V1__FinalizeInvoiceRequest, req);
    Billingos__V1__FinalizeInvoiceResponse *response = PB_NEW(
        cx, Billingos__V1__FinalizeInvoiceResponse, billingos__v1__finalize_invoice_response__init);
    struct invoice_order order = {.act = INVOICE_ACT_FINALIZE, .payment_method_id = "", .note = ""};
    const struct act_call call = {&request.base, request.invoice_id, &request.request_id};

    TRY(act(cx, services, &call, &order, &response->invoice));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status invoice_pay(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__PayInvoiceRequest request = *PB_REQUEST(Billingos__V1__PayInvoiceRequest, req);
    Billingos__V1__PayInvoiceResponse *response =
        PB_NEW(cx, Billingos__V1__PayInvoiceResponse, billingos__v1__pay_invoice_response__init);
    struct invoice_order order = {
        .act = INVOICE_ACT_PAY,
        .payment_method_id = request.payment_method_id,
        .paid_elsewhere = request.paid_elsewhere,
        .note = ""};
    const struct act_call call = {&request.base, request.invoice_id, &request.request_id};

    TRY(pb_check_text(
        cx, "payment_method_id", request.payment_method_id, 0, PAYMENT_METHOD_BYTES_MAX));
    if (request.paid_elsewhere && request.payment_method_id[0] != '\0') {
        return status_field(cx, "payment_method_id", "is not charged when it was paid elsewhere");
    }
    TRY(act(cx, services, &call, &order, &response->invoice));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status invoice_send(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__SendInvoiceRequest request = *PB_REQUEST(Billingos__V1__SendInvoiceRequest, req);
    Billingos__V1__SendInvoiceResponse *response =
        PB_NEW(cx, Billingos__V1__SendInvoiceResponse, billingos__v1__send_invoice_response__init);
    struct invoice_order order = {.act = INVOICE_ACT_SEND, .payment_method_id = "", .note = ""};
    const struct act_call call = {&request.base, request.invoice_id, &request.request_id};

    TRY(act(cx, services, &call, &order, &response->invoice));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status invoice_void(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__VoidInvoiceRequest request = *PB_REQUEST(Billingos__V1__VoidInvoiceRequest, req);
    Billingos__V1__VoidInvoiceResponse *response =
        PB_NEW(cx, Billingos__V1__VoidInvoiceResponse, billingos__v1__void_invoice_response__init);
    struct invoice_order order = {
        .act = INVOICE_ACT_VOID, .payment_method_id = "", .note = request.note};
    const struct act_call call = {&request.base, request.invoice_id, &request.request_id};

    TRY(act(cx, services, &call, &order, &response->invoice));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status invoice_mark_uncollectible(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__MarkInvoiceUncollectibleRequest request =
        *PB_REQUEST(Billingos__V1__MarkInvoiceUncollectibleRequest, req);
    Billingos__V1__MarkInvoiceUncollectibleResponse *response = PB_NEW(
        cx,
        Billingos__V1__MarkInvoiceUncollectibleResponse,
        billingos__v1__mark_invoice_uncollectible_response__init);
    struct invoice_order order = {
        .act = INVOICE_ACT_WRITE_OFF, .payment_method_id = "", .note = request.note};
    const struct act_call call = {&request.base, request.invoice_id, &request.request_id};

    TRY(act(cx, services, &call, &order, &response->invoice));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
