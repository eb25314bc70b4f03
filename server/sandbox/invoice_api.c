#include "sandbox/invoice_api.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/invoice.h"
#include "sandbox/invoice_payment.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/payment_intent.h"
#include "sandbox/payment_method.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"

static bool invoice_retrieve(struct call *call)
{
    struct invoice *invoice = NULL;

    return call_find_path(call, KIND_INVOICE, &invoice) && call_reply(call, invoice);
}

static const struct param list_params[] = {
    {"customer", PARAM_TEXT, 0, NULL},
    {"subscription", PARAM_TEXT, 0, NULL},
    {"status", PARAM_ENUM, 0, "draft|open|paid|uncollectible|void"},
    {"collection_method", PARAM_ENUM, 0, "charge_automatically|send_invoice"},
    PARAMS_TIME_FILTER("due_date"),
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

static bool match(const struct call *call, const struct object *object)
{
    const struct invoice *invoice = (const struct invoice *)object;

    return list_ref_matches(call, "customer", invoice->customer) &&
           list_ref_matches(call, "subscription", invoice->subscription) &&
           list_text_matches(call, "status", invoice_status_word(invoice->status)) &&
           list_text_matches(
               call,
               "collection_method",
               invoice->send ? "send_invoice" : "charge_automatically") &&
           list_time_matches(call, "due_date", invoice->due_s) &&
           list_time_matches(call, "created", object->created_s);
}

static bool invoice_list(struct call *call)
{
    return list_reply(call, KIND_INVOICE, match);
}

static const struct param update_params[] = {
    {"auto_advance", PARAM_BOOL, 0, NULL},
    {"description", PARAM_TEXT, PARAM_UNSET, NULL},
    {"default_payment_method", PARAM_TEXT, PARAM_UNSET, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

/* A draft that begins to move by itself has its hour before it is finalised. */
static void update_advance(struct call *call, struct invoice *invoice)
{
    const bool before = invoice->auto_advance;

    invoice->auto_advance = call_bool(call, "auto_advance", before);
    if (invoice->auto_advance && !before && invoice->status == INVOICE_DRAFT) {
        invoice->finalizes_s = customer_now_s(call->sim, invoice->customer) + INVOICE_DRAFT_S;
    }
}

static bool invoice_update(struct call *call)
{
    const char *method_id = call_text(call, "default_payment_method");
    struct payment_method *method = NULL;
    struct invoice *invoice = NULL;
    const char *before = NULL;

    if (!call_find_path(call, KIND_INVOICE, &invoice) ||
        !metadata_check(call, &invoice->metadata, "metadata")) {
        return false;
    }
    if (method_id != NULL && method_id[0] != '\0') {
        method = payment_method_of(call->sim, invoice->customer, method_id);
        if (method == NULL) {
            return call_fail_missing(
                call, KIND_PAYMENT_METHOD, method_id, "default_payment_method");
        }
    }
    before = event_snapshot(call->sim, invoice);
    if (method_id != NULL) {
        invoice->default_payment_method = method;
    }
    update_advance(call, invoice);
    call_update_text(call, "description", &invoice->description);
    metadata_update(call, &invoice->metadata, "metadata");
    event_emit(call->sim, "invoice.updated", invoice, before);
    return call_reply(call, invoice);
}

/* One of the statuses, else a 400 that says what is not possible. */
static bool
find_in(struct call *call, unsigned statuses, const char *verb, struct invoice **ret_invoice)
{
    if (!call_find_path(call, KIND_INVOICE, ret_invoice)) {
        return false;
    }
    if ((1U << (*ret_invoice)->status & statuses) != 0) {
        return true;
    }
    if ((*ret_invoice)->status == INVOICE_PAID) {
        return call_fail(call, 400, "invoice_already_paid", NULL, "Invoice is already paid");
    }
    return call_fail(
        call,
        400,
        "status_transition_invalid",
        NULL,
        "You cannot %s an invoice that is %s.",
        verb,
        invoice_status_word((*ret_invoice)->status));
}

#define IN(status) (1U << (status))

static const struct param finalize_params[] = {
    {"auto_advance", PARAM_BOOL, 0, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static bool finalize(struct call *call)
{
    struct invoice *invoice = NULL;

    if (!find_in(call, IN(INVOICE_DRAFT), "finalize", &invoice)) {
        return false;
    }
    invoice->auto_advance = call_bool(call, "auto_advance", invoice->auto_advance);
    invoice_finalize(call->sim, invoice);
    return call_reply(call, invoice);
}

static const struct param pay_params[] = {
    {"payment_method", PARAM_TEXT, 0, NULL},
    {"off_session", PARAM_BOOL, 0, NULL},
    {"paid_out_of_band", PARAM_BOOL, 0, NULL},
    {"forgive", PARAM_UNSUPPORTED, 0, NULL},
    {"source", PARAM_UNSUPPORTED, 0, NULL},
    {"mandate", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static bool fail_declined(struct call *call, const struct invoice *invoice)
{
    const struct payment_intent *intent = invoice->intent;

    if (intent->status == INTENT_REQUIRES_ACTION) {
        call_fail(
            call,
            402,
            "invoice_payment_intent_requires_action",
            NULL,
            "Payment for this invoice requires additional user action before it can be completed "
            "successfully.");
    } else {
        call_fail(call, 402, intent->last_error.code, NULL, "%s", intent->last_error.message);
        call->failure.decline_code = intent->last_error.decline_code;
        call->failure.advice_code = intent->last_error.advice;
        call->failure.payment_method = (const struct object *)intent->failed_method;
    }
    call->failure.payment_intent = &intent->object;
    return false;
}

static bool invoice_pay(struct call *call)
{
    const char *method_id = call_text(call, "payment_method");
    struct payment_method *method = NULL;
    struct invoice *invoice = NULL;

    if (!find_in(
            call,
            IN(INVOICE_DRAFT) | IN(INVOICE_OPEN) | IN(INVOICE_UNCOLLECTIBLE),
            "pay",
            &invoice)) {
        return false;
    }
    if (invoice->status == INVOICE_DRAFT) {
        invoice_finalize(call->sim, invoice);
    }
    if (invoice->status == INVOICE_PAID) {
        return call_reply(call, invoice);
    }
    if (call_bool(call, "paid_out_of_band", false)) {
        invoice_mark_paid(call->sim, invoice, /* out_of_band= */ true);
        return call_reply(call, invoice);
    }
    method = invoice_method(invoice);
    if (method_id != NULL) {
        method = payment_method_of(call->sim, invoice->customer, method_id);
        if (method == NULL) {
            return call_fail_missing(call, KIND_PAYMENT_METHOD, method_id, "payment_method");
        }
    }
    if (method == NULL) {
        return call_fail(
            call,
            400,
            "missing",
            NULL,
            "Cannot charge a customer that has no active card or default payment method.");
    }
    return invoice_collect(call->sim, invoice, method, ATTEMPT_MANUAL)
               ? call_reply(call, invoice)
               : fail_declined(call, invoice);
}

static bool void_open(struct call *call)
{
    struct invoice *invoice = NULL;

    if (!find_in(call, IN(INVOICE_OPEN) | IN(INVOICE_UNCOLLECTIBLE), "void", &invoice)) {
        return false;
    }
    invoice_void(call->sim, invoice);
    return call_reply(call, invoice);
}

static bool mark_uncollectible(struct call *call)
{
    struct invoice *invoice = NULL;

    if (!find_in(call, IN(INVOICE_OPEN), "mark as uncollectible", &invoice)) {
        return false;
    }
    invoice_mark_uncollectible(call->sim, invoice);
    return call_reply(call, invoice);
}

static const struct param lines_params[] = {PARAMS_LIST, PARAM_END};

/* Where the page begins: behind the line that starting_after names. */
static bool find_line(struct call *call, const struct invoice *invoice, size_t *ret_start)
{
    const char *after = call_text(call, "starting_after");

    for (size_t i = 0; after != NULL && i < invoice->line_count; i++) {
        if (strcmp(invoice->lines[i].id, after) == 0) {
            *ret_start = i + 1;
            return true;
        }
    }
    return after == NULL ||
           call_fail(
               call, 400, "resource_missing", "starting_after", "No such line item: '%s'", after);
}

static bool line_list(struct call *call)
{
    const int64_t limit = call_i64(call, "limit", 10);
    struct invoice *invoice = NULL;
    struct render render;
    size_t start = 0;
    size_t end = 0;

    if (!call_find_path(call, KIND_INVOICE, &invoice) || !find_line(call, invoice, &start)) {
        return false;
    }
    if (call_text(call, "ending_before") != NULL) {
        return call_fail_not_implemented(call, "ending_before for invoice lines");
    }
    end = start + (size_t)(limit < 1 ? 1 : limit);
    end = end < invoice->line_count ? end : invoice->line_count;
    render_begin(&render, call->sim, &call->body, NULL);
    render_list_open(&render, NULL);
    for (size_t i = start; i < end; i++) {
        invoice_render_line(&render, invoice, &invoice->lines[i]);
    }
    render_list_close(
        &render,
        end < invoice->line_count,
        arena_printf(call->cx->arena, "/v1/invoices/%s/lines", invoice->object.id));
    call->status = 200;
    return true;
}

static bool payment_retrieve(struct call *call)
{
    struct invoice_payment *payment = NULL;

    return call_find_path(call, KIND_INVOICE_PAYMENT, &payment) && call_reply(call, payment);
}

static const struct param payment_list_params[] = {
    {"invoice", PARAM_TEXT, 0, NULL},
    {"status", PARAM_ENUM, 0, "open|paid|canceled"},
    {"payment[type]", PARAM_ENUM, 0, "payment_intent|charge|payment_record"},
    {"payment[payment_intent]", PARAM_TEXT, 0, NULL},
    PARAMS_TIME_FILTER("created"),
    PARAMS_LIST,
    PARAM_END,
};

static bool payment_match(const struct call *call, const struct object *object)
{
    const struct invoice_payment *payment = (const struct invoice_payment *)object;

    return list_ref_matches(call, "invoice", payment->invoice) &&
           list_text_matches(call, "status", invoice_payment_status_word(payment)) &&
           list_text_matches(call, "payment[type]", "payment_intent") &&
           list_ref_matches(call, "payment[payment_intent]", payment->intent) &&
           list_time_matches(call, "created", object->created_s);
}

static bool payment_list(struct call *call)
{
    return list_reply(call, KIND_INVOICE_PAYMENT, payment_match);
}

const struct endpoint invoice_api[] = {
    {"GET", "/v1/invoices", invoice_list, list_params, KIND_INVOICE, ENDPOINT_LIST},
    {"GET", "/v1/invoices/{}", invoice_retrieve, NULL, KIND_INVOICE, 0},
    {"POST", "/v1/invoices/{}", invoice_update, update_params, KIND_INVOICE, 0},
    {"POST", "/v1/invoices/{}/finalize", finalize, finalize_params, KIND_INVOICE, 0},
    {"POST", "/v1/invoices/{}/pay", invoice_pay, pay_params, KIND_INVOICE, 0},
    {"POST", "/v1/invoices/{}/void", void_open, NULL, KIND_INVOICE, 0},
    {"POST", "/v1/invoices/{}/mark_uncollectible", mark_uncollectible, NULL, KIND_INVOICE, 0},
    {"GET", "/v1/invoices/{}/lines", line_list, lines_params, KIND_NONE, ENDPOINT_LIST},
    {"GET",
     "/v1/invoice_payments",
     payment_list,
     payment_list_params,
     KIND_INVOICE_PAYMENT,
     ENDPOINT_LIST},
    {"GET", "/v1/invoice_payments/{}", payment_retrieve, NULL, KIND_INVOICE_PAYMENT, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
