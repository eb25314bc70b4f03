#include "handlers/invoice_pb.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "domain/decline.h"
#include "handlers/pb.h"

#define EXTERNAL_ID_BYTES_MAX 255

static const struct list_sizes page_sizes = {.fallback = 50, .max = 200};

static const struct {
    const char *word;
    Billingos__V1__BillingReason reason;
} billing_reasons[] = {
    {"subscription_create", BILLINGOS__V1__BILLING_REASON__BILLING_REASON_SUBSCRIPTION_CREATE},
    {"subscription_cycle", BILLINGOS__V1__BILLING_REASON__BILLING_REASON_SUBSCRIPTION_CYCLE},
    {"subscription_update", BILLINGOS__V1__BILLING_REASON__BILLING_REASON_SUBSCRIPTION_UPDATE},
    {"subscription", BILLINGOS__V1__BILLING_REASON__BILLING_REASON_SUBSCRIPTION_UPDATE},
    {"upcoming", BILLINGOS__V1__BILLING_REASON__BILLING_REASON_SUBSCRIPTION_CYCLE},
    {"subscription_threshold", BILLINGOS__V1__BILLING_REASON__BILLING_REASON_USAGE_THRESHOLD},
    {"manual", BILLINGOS__V1__BILLING_REASON__BILLING_REASON_MANUAL},
};

static Billingos__V1__BillingReason billing_reason(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(billing_reasons); i++) {
        if (strcmp(billing_reasons[i].word, word) == 0) {
            return billing_reasons[i].reason;
        }
    }
    return BILLINGOS__V1__BILLING_REASON__BILLING_REASON_UNSPECIFIED;
}

Billingos__V1__Money *invoice_pb_amount(struct ctx *cx, int64_t minor, const char *currency)
{
    struct money money = {.minor = minor};

    snprintf(money.currency, sizeof money.currency, "%s", currency);
    return pb_money(cx, money);
}

static Billingos__V1__Money *amount_if(struct ctx *cx, int64_t minor, const char *currency)
{
    return minor == 0 ? NULL : invoice_pb_amount(cx, minor, currency);
}

static Billingos__V1__TimeRange *range_pb(struct ctx *cx, int64_t start_us, int64_t end_us)
{
    Billingos__V1__TimeRange *message = NULL;

    if (start_us == 0 && end_us == 0) {
        return NULL;
    }
    message = PB_NEW(cx, Billingos__V1__TimeRange, billingos__v1__time_range__init);
    message->start_time = pb_time(cx, start_us);
    message->end_time = pb_time(cx, end_us);
    return message;
}

Billingos__V1__PaymentFailure *
payment_failure_pb(struct ctx *cx, const struct payment_failure_facts *facts)
{
    const enum decline_class decline = decline_class_of(facts->decline_code);
    Billingos__V1__PaymentFailure *message = NULL;

    if (facts->decline_code[0] == '\0') {
        return NULL;
    }
    message = PB_NEW(cx, Billingos__V1__PaymentFailure, billingos__v1__payment_failure__init);
    message->decline_code = pb_text(facts->decline_code);
    message->decline_class = (Billingos__V1__DeclineClass)decline;
    message->message = pb_text(decline_advice(decline));
    message->action_url = pb_text(facts->action_url);
    message->fail_time = pb_time(cx, facts->failed_us);
    return message;
}

static void
put_amounts(struct ctx *cx, const struct invoice *invoice, Billingos__V1__Invoice *message)
{
    const char *currency = invoice->currency;

    message->currency_code = pb_text(currency);
    message->subtotal = invoice_pb_amount(cx, invoice->subtotal_minor, currency);
    message->discount_total = invoice_pb_amount(cx, invoice->discount_minor, currency);
    message->tax_total = invoice_pb_amount(cx, invoice->tax_minor, currency);
    message->total = invoice_pb_amount(cx, invoice->total_minor, currency);
    message->amount_due = invoice_pb_amount(cx, invoice->due_minor, currency);
    message->amount_paid = invoice_pb_amount(cx, invoice->paid_minor, currency);
    message->amount_remaining = invoice_pb_amount(cx, invoice->remaining_minor, currency);
    message->amount_refunded = invoice_pb_amount(cx, invoice->refunded_minor, currency);
}

static void
put_times(struct ctx *cx, const struct invoice *invoice, Billingos__V1__Invoice *message)
{
    message->next_attempt_time = pb_time(cx, invoice->next_attempt_us);
    message->due_time = pb_time(cx, invoice->due_us);
    message->period = range_pb(cx, invoice->period_start_us, invoice->period_end_us);
    message->finalize_time = pb_time(cx, invoice->finalized_us);
    message->pay_time = pb_time(cx, invoice->paid_us);
    message->void_time = pb_time(cx, invoice->voided_us);
    message->create_time = pb_time(cx, invoice->created_us);
    message->update_time = pb_time(cx, invoice->updated_us);
}

Billingos__V1__Invoice *invoice_pb(struct ctx *cx, const struct invoice *invoice)
{
    Billingos__V1__Invoice *message =
        PB_NEW(cx, Billingos__V1__Invoice, billingos__v1__invoice__init);
    const bool payable =
        invoice->status == INVOICE_OPEN || invoice->status == INVOICE_UNCOLLECTIBLE;
    const struct payment_failure_facts failure = {
        .decline_code = invoice->decline_code,
        .action_url = payable ? invoice->hosted_url : "",
        .failed_us = invoice->failed_us,
    };

    message->invoice_id = pb_id(cx, ID_INVOICE, &invoice->invoice_id);
    message->number = pb_text(invoice->number);
    message->customer_id = pb_id(cx, ID_CUSTOMER, &invoice->customer_id);
    message->subscription_id = pb_id(cx, ID_SUBSCRIPTION, &invoice->subscription_id);
    message->status = (Billingos__V1__InvoiceStatus)invoice->status;
    message->billing_reason = billing_reason(invoice->billing_reason);
    put_amounts(cx, invoice, message);
    message->attempt_count = (int32_t)invoice->attempt_count;
    put_times(cx, invoice, message);
    message->hosted_url = pb_text(invoice->hosted_url);
    message->pdf_url = pb_text(invoice->pdf_url);
    message->last_failure = payment_failure_pb(cx, &failure);
    message->metadata = pb_map(
        cx,
        invoice->metadata,
        &billingos__v1__invoice__metadata_entry__descriptor,
        &message->n_metadata);
    return message;
}

static Billingos__V1__InvoiceLine *
line_pb(struct ctx *cx, const struct invoice_line *line, const char *currency)
{
    Billingos__V1__InvoiceLine *message =
        PB_NEW(cx, Billingos__V1__InvoiceLine, billingos__v1__invoice_line__init);

    message->invoice_line_id = pb_id(cx, ID_INVOICE_LINE, &line->line_id);
    message->description = pb_text(line->description);
    message->quantity = line->quantity;
    message->amount = invoice_pb_amount(cx, line->amount_minor, currency);
    message->price_id = pb_id(cx, ID_PRICE, &line->price_id);
    message->subscription_item_id = pb_id(cx, ID_SUBSCRIPTION_ITEM, &line->item_id);
    message->proration = line->proration;
    message->period = range_pb(cx, line->period_start_us, line->period_end_us);
    message->discount = amount_if(cx, line->discount_minor, currency);
    message->tax = amount_if(cx, line->tax_minor, currency);
    return message;
}

void invoice_pb_lines(
    struct ctx *cx,
    const struct invoice *invoice,
    const struct invoice_line *lines,
    size_t count,
    Billingos__V1__Invoice *message)
{
    message->lines = arena_alloc(cx->arena, (count + 1) * sizeof(Billingos__V1__InvoiceLine *));
    for (size_t i = 0; i < count; i++) {
        message->lines[message->n_lines++] = line_pb(cx, &lines[i], invoice->currency);
    }
    message->more_lines = invoice->more_lines;
}

Billingos__V1__PaymentAttempt *
payment_attempt_pb(struct ctx *cx, const struct payment_attempt *attempt)
{
    Billingos__V1__PaymentAttempt *message =
        PB_NEW(cx, Billingos__V1__PaymentAttempt, billingos__v1__payment_attempt__init);
    const struct payment_failure_facts failure = {
        .decline_code = attempt->decline_code,
        .action_url = attempt->action_url,
        .failed_us = attempt->attempted_us,
    };

    message->payment_attempt_id = pb_id(cx, ID_PAYMENT, &attempt->payment_id);
    message->invoice_id = pb_id(cx, ID_INVOICE, &attempt->invoice_id);
    message->customer_id = pb_id(cx, ID_CUSTOMER, &attempt->customer_id);
    message->subscription_id = pb_id(cx, ID_SUBSCRIPTION, &attempt->subscription_id);
    message->state = (Billingos__V1__PaymentAttemptState)attempt->state;
    message->amount = invoice_pb_amount(cx, attempt->amount_minor, attempt->currency);
    message->attempt_number = (int32_t)attempt->number;
    message->payment_method_id = pb_text(attempt->payment_method);
    if (attempt->card_last4[0] != '\0') {
        message->payment_method =
            PB_NEW(cx, Billingos__V1__PaymentMethodHint, billingos__v1__payment_method_hint__init);
        message->payment_method->brand = pb_text(attempt->card_brand);
        message->payment_method->last4 = pb_text(attempt->card_last4);
    }
    message->failure = payment_failure_pb(cx, &failure);
    message->create_time = pb_time(cx, attempt->attempted_us);
    return message;
}

struct status invoice_pb_read_customer(
    struct ctx *cx,
    const char *customer_id,
    const char *external_customer_id,
    struct id *id,
    struct customer_ref *customer,
    const struct customer_ref **ret_of_customer)
{
    *ret_of_customer = NULL;
    if (customer_id != NULL) {
        customer->customer_id = id;
        *ret_of_customer = customer;
        return pb_read_id(cx, "customer_id", ID_CUSTOMER, customer_id, id);
    }
    if (external_customer_id != NULL) {
        customer->external_id = external_customer_id;
        *ret_of_customer = customer;
        return pb_check_text(
            cx, "external_customer_id", external_customer_id, 1, EXTERNAL_ID_BYTES_MAX);
    }
    return STATUS_OK;
}

struct status invoice_pb_read_part(
    struct ctx *cx,
    struct services *services,
    const struct invoice_part_ask *ask,
    struct invoice_part_call *ret_call)
{
    const char *text = NULL;

    *ret_call = (struct invoice_part_call){.filter = {.state = ask->state}};
    TRY(invoice_pb_read_customer(
        cx,
        ask->customer_id,
        ask->external_customer_id,
        &ret_call->customer_id,
        &ret_call->customer,
        &ret_call->of_customer));
    if (ask->invoice_id[0] != '\0') {
        TRY(pb_read_id(
            cx, "invoice_id", ID_INVOICE, ask->invoice_id, &ret_call->filter.invoice_id));
    }
    text = arena_printf(
        cx->arena,
        "%s %s %s %s %s",
        ask->list,
        ask->customer_id == NULL ? "" : ask->customer_id,
        ask->external_customer_id == NULL ? "" : ask->external_customer_id,
        ask->invoice_id,
        ask->state);
    TRY(list_page_read(
        cx, services, page_sizes, ask->page_size, ask->page_token, text, &ret_call->page));
    ret_call->filter.before_us = ret_call->page.start.number;
    ret_call->filter.before_id = ret_call->page.start.id;
    return STATUS_OK;
}
