#include "handlers/invoice_handler.h"

#include <inttypes.h>

#include "base/arena.h"
#include "domain/field_check.h"
#include "handlers/invoice_pb.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "services/invoices.h"
#include "services/payment_attempts.h"

#define STATUSES_MAX 5

static const struct list_sizes page_sizes = {.fallback = 50, .max = 200};

struct status invoice_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetInvoiceRequest *request =
        PB_REQUEST(Billingos__V1__GetInvoiceRequest, req);
    Billingos__V1__GetInvoiceResponse *response =
        PB_NEW(cx, Billingos__V1__GetInvoiceResponse, billingos__v1__get_invoice_response__init);
    struct invoice invoice;
    struct invoice_lines lines;
    struct id id;

    TRY(pb_read_id(cx, "invoice_id", ID_INVOICE, request->invoice_id, &id));
    TRY(invoices_get(cx, services, &id, &invoice, &lines));
    response->invoice = invoice_pb(cx, &invoice);
    invoice_pb_lines(cx, &invoice, lines.lines, lines.count, response->invoice);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

/* What narrows a list of invoices, with what it borrows. */
struct list_call {
    struct invoice_filter filter;
    const char *statuses[STATUSES_MAX];
    struct customer_ref customer;
    struct id customer_id;
    const struct customer_ref *of_customer;
};

static struct status read_statuses(
    struct ctx *cx, const Billingos__V1__ListInvoicesRequest *request, struct list_call *call)
{
    if (request->n_statuses > STATUSES_MAX) {
        return status_field(cx, "statuses", "has more than %d values", STATUSES_MAX);
    }
    for (size_t i = 0; i < request->n_statuses; i++) {
        const char *name = invoice_status_name((enum invoice_status)request->statuses[i]);

        if (request->statuses[i] == 0) {
            continue; /* any */
        }
        if (name[0] == '\0') {
            return status_field(cx, "statuses", "holds no value of InvoiceStatus");
        }
        call->statuses[call->filter.status_count++] = name;
    }
    call->filter.statuses = call->statuses;
    return STATUS_OK;
}

static struct status
read_range(struct ctx *cx, const Billingos__V1__TimeRange *range, struct invoice_filter *filter)
{
    if (range == NULL) {
        return STATUS_OK;
    }
    TRY(pb_read_time(cx, "create_range.start_time", range->start_time, &filter->from_us));
    TRY(pb_read_time(cx, "create_range.end_time", range->end_time, &filter->until_us));
    return filter->until_us != 0 && filter->until_us < filter->from_us
               ? status_field(cx, "create_range", "ends before it starts")
               : STATUS_OK;
}

/* The oneof `customer` of a list request, whose cases have the same numbers in each. */
#define CUSTOMER_ID(request) ((int)(request)->customer_case == 1 ? (request)->customer_id : NULL)
#define EXTERNAL_ID(request) \
    ((int)(request)->customer_case == 2 ? (request)->external_customer_id : NULL)

static struct status
read_list(struct ctx *cx, const Billingos__V1__ListInvoicesRequest *request, struct list_call *call)
{
    struct status result = STATUS_OK;

    *call = (struct list_call){.of_customer = NULL};
    field_note(cx, &result, read_statuses(cx, request, call));
    field_note(
        cx,
        &result,
        invoice_pb_read_customer(
            cx,
            CUSTOMER_ID(request),
            EXTERNAL_ID(request),
            &call->customer_id,
            &call->customer,
            &call->of_customer));
    if (request->subscription_id[0] != '\0') {
        field_note(
            cx,
            &result,
            pb_read_id(
                cx,
                "subscription_id",
                ID_SUBSCRIPTION,
                request->subscription_id,
                &call->filter.subscription_id));
    }
    field_note(cx, &result, read_range(cx, request->create_range, &call->filter));
    return result;
}

static const char *filter_text(
    struct ctx *cx, const Billingos__V1__ListInvoicesRequest *request, const struct list_call *call)
{
    const char *text = arena_printf(
        cx->arena,
        "invoices %s %s %s %" PRId64 " %" PRId64,
        call->customer.customer_id != NULL ? request->customer_id : "",
        call->customer.external_id != NULL ? request->external_customer_id : "",
        request->subscription_id,
        call->filter.from_us,
        call->filter.until_us);

    for (size_t i = 0; i < call->filter.status_count; i++) {
        text = arena_printf(cx->arena, "%s %s", text, call->statuses[i]);
    }
    return text;
}

struct status invoice_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListInvoicesRequest *request =
        PB_REQUEST(Billingos__V1__ListInvoicesRequest, req);
    Billingos__V1__ListInvoicesResponse *response = PB_NEW(
        cx, Billingos__V1__ListInvoicesResponse, billingos__v1__list_invoices_response__init);
    struct invoice *invoices = NULL;
    struct list_call call;
    struct list_page page;
    size_t fetched = 0;

    TRY(read_list(cx, request, &call));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        filter_text(cx, request, &call),
        &page));
    call.filter.before_us = page.start.number;
    call.filter.before_id = page.start.id;
    TRY(invoices_list(
        cx, services, call.of_customer, &call.filter, (size_t)page.fetch, &invoices, &fetched));
    response->n_invoices = list_page_shown(&page, fetched);
    response->invoices =
        arena_alloc(cx->arena, (response->n_invoices + 1) * sizeof(Billingos__V1__Invoice *));
    for (size_t i = 0; i < response->n_invoices; i++) {
        const struct page_position last = {invoices[i].created_us, invoices[i].invoice_id};

        response->invoices[i] = invoice_pb(cx, &invoices[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status payment_attempt_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListPaymentAttemptsRequest *request =
        PB_REQUEST(Billingos__V1__ListPaymentAttemptsRequest, req);
    Billingos__V1__ListPaymentAttemptsResponse *response = PB_NEW(
        cx,
        Billingos__V1__ListPaymentAttemptsResponse,
        billingos__v1__list_payment_attempts_response__init);
    const struct invoice_part_ask ask = {
        .list = "payment_attempts",
        .customer_id = CUSTOMER_ID(request),
        .external_customer_id = EXTERNAL_ID(request),
        .invoice_id = request->invoice_id,
        .state = payment_attempt_state_name((enum payment_attempt_state)request->state),
        .page_size = request->page_size,
        .page_token = request->page_token,
    };
    struct payment_attempt *attempts = NULL;
    struct invoice_part_call call;
    size_t fetched = 0;

    if (request->state != 0 && ask.state[0] == '\0') {
        return status_field(cx, "state", "is no value of PaymentAttemptState");
    }
    TRY(invoice_pb_read_part(cx, services, &ask, &call));
    TRY(payment_attempts_list(
        cx,
        services,
        call.of_customer,
        &call.filter,
        (size_t)call.page.fetch,
        &attempts,
        &fetched));
    response->n_payment_attempts = list_page_shown(&call.page, fetched);
    response->payment_attempts = arena_alloc(
        cx->arena, (response->n_payment_attempts + 1) * sizeof(Billingos__V1__PaymentAttempt *));
    for (size_t i = 0; i < response->n_payment_attempts; i++) {
        const struct page_position last = {attempts[i].attempted_us, attempts[i].payment_id};

        response->payment_attempts[i] = payment_attempt_pb(cx, &attempts[i]);
        response->next_page_token = list_page_next(cx, services, &call.page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
