#include "base/arena.h"
#include "domain/field_check.h"
#include "handlers/invoice_handler.h"
#include "handlers/invoice_pb.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "services/keyed.h"
#include "services/refunds.h"

static Billingos__V1__Refund *refund_pb(struct ctx *cx, const struct refund *refund)
{
    Billingos__V1__Refund *message = PB_NEW(cx, Billingos__V1__Refund, billingos__v1__refund__init);

    message->refund_id = pb_id(cx, ID_REFUND, &refund->refund_id);
    message->invoice_id = pb_id(cx, ID_INVOICE, &refund->invoice_id);
    message->customer_id = pb_id(cx, ID_CUSTOMER, &refund->customer_id);
    message->payment_attempt_id = pb_id(cx, ID_PAYMENT, &refund->payment_id);
    message->amount = invoice_pb_amount(cx, refund->amount_minor, refund->currency);
    message->state = (Billingos__V1__RefundState)refund->state;
    message->reason = (Billingos__V1__CreditNoteReason)refund->reason;
    message->failure_code = pb_text(refund->failure_code);
    message->create_time = pb_time(cx, refund->created_us);
    return message;
}

static struct status read_order(
    struct ctx *cx,
    const Billingos__V1__CreateRefundRequest *request,
    struct refund_order *ret_order)
{
    struct status result = STATUS_OK;

    *ret_order = (struct refund_order){
        .all = request->amount == NULL,
        .reason = (int64_t)request->reason,
        .application_fee = request->refund_application_fee,
    };
    field_note(
        cx,
        &result,
        pb_read_id(cx, "invoice_id", ID_INVOICE, request->invoice_id, &ret_order->invoice_id));
    if (request->reason != 0 && refund_reason_name(ret_order->reason)[0] == '\0') {
        field_note(cx, &result, status_field(cx, "reason", "is no value of CreditNoteReason"));
    }
    TRY(result);
    if (ret_order->all) {
        return STATUS_OK;
    }
    TRY(pb_read_money(cx, "amount", request->amount, &ret_order->amount));
    return ret_order->amount.minor < 1 ? status_field(cx, "amount", "must be more than nothing")
                                       : STATUS_OK;
}

struct status refund_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__CreateRefundRequest request =
        *PB_REQUEST(Billingos__V1__CreateRefundRequest, req);
    Billingos__V1__CreateRefundResponse *response = PB_NEW(
        cx, Billingos__V1__CreateRefundResponse, billingos__v1__create_refund_response__init);
    struct refund_order order;
    struct refund refund;
    struct keyed keyed;

    TRY(read_order(cx, &request, &order));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(refunds_create(cx, services, &keyed, &order, &refund));
    response->refund = refund_pb(cx, &refund);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status refund_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetRefundRequest *request =
        PB_REQUEST(Billingos__V1__GetRefundRequest, req);
    Billingos__V1__GetRefundResponse *response =
        PB_NEW(cx, Billingos__V1__GetRefundResponse, billingos__v1__get_refund_response__init);
    struct refund refund;
    struct id id;

    TRY(pb_read_id(cx, "refund_id", ID_REFUND, request->refund_id, &id));
    TRY(refunds_get(cx, services, &id, &refund));
    response->refund = refund_pb(cx, &refund);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status refund_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListRefundsRequest *request =
        PB_REQUEST(Billingos__V1__ListRefundsRequest, req);
    Billingos__V1__ListRefundsResponse *response =
        PB_NEW(cx, Billingos__V1__ListRefundsResponse, billingos__v1__list_refunds_response__init);
    const struct invoice_part_ask ask = {
        .list = "refunds",
        .customer_id = INVOICE_PB_CUSTOMER_ID(request),
        .external_customer_id = INVOICE_PB_EXTERNAL_ID(request),
        .invoice_id = request->invoice_id,
        .state = refund_state_name((enum refund_state)request->state),
        .page_size = request->page_size,
        .page_token = request->page_token,
    };
    struct refund *refunds = NULL;
    struct invoice_part_call call;
    size_t fetched = 0;

    if (request->state != 0 && ask.state[0] == '\0') {
        return status_field(cx, "state", "is no value of RefundState");
    }
    TRY(invoice_pb_read_part(cx, services, &ask, &call));
    TRY(refunds_list(
        cx, services, call.of_customer, &call.filter, (size_t)call.page.fetch, &refunds, &fetched));
    response->n_refunds = list_page_shown(&call.page, fetched);
    response->refunds =
        arena_alloc(cx->arena, (response->n_refunds + 1) * sizeof(Billingos__V1__Refund *));
    for (size_t i = 0; i < response->n_refunds; i++) {
        const struct page_position last = {refunds[i].created_us, refunds[i].refund_id};

        response->refunds[i] = refund_pb(cx, &refunds[i]);
        response->next_page_token = list_page_next(cx, services, &call.page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
