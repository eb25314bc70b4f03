#include "services/invoice_mirror.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/log.h"
#include "domain/decline.h"
#include "http/json.h"
#include "services/payment_attempts.h"
#include "store/db.h"
#include "store/event_log.h"
#include "store/invoice_line_store.h"
#include "store/invoice_store.h"
#include "store/subscriber_store.h"
#include "store/subscription_store.h"

#define PAYLOAD_BYTES_MAX ((size_t)16 * 1024)

/* Ours for the subscription of an invoice; it may be marked before it is mirrored. */
static struct status find_subscription(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_invoice *payment,
    struct id *ret_subscription_id)
{
    struct subscription subscription;
    struct status status;
    struct id marked;

    *ret_subscription_id = (struct id){{0}};
    if (payment->subscription_id[0] == '\0') {
        return STATUS_OK;
    }
    status = subscription_store_lock_stripe(cx, tx, payment->subscription_id, &subscription);
    if (status_reason(status) == REASON_SUBSCRIPTION_NOT_FOUND &&
        id_parse(ID_SUBSCRIPTION, payment->subscription_marks.object_id, &marked)) {
        status = subscription_store_lock(cx, tx, &marked, &subscription);
    }
    if (status_reason(status) == REASON_SUBSCRIPTION_NOT_FOUND) {
        return STATUS_OK;
    }
    TRY(status);
    *ret_subscription_id = subscription.subscription_id;
    return STATUS_OK;
}

static const char *decline_of(const struct payment_invoice *payment)
{
    if (payment->status == INVOICE_PAID) {
        return "";
    }
    if (strcmp(payment->payment_intent_status, "requires_action") == 0) {
        return "authentication_required";
    }
    return payment->decline_code[0] != '\0' ? payment->decline_code : payment->error_code;
}

static struct invoice
next_state(struct ctx *cx, const struct invoice *old, const struct payment_invoice *payment)
{
    struct invoice next = {
        .invoice_id = old != NULL ? old->invoice_id : id_new(cx->now_us),
        .stripe_invoice_id = payment->id,
        .number = payment->number,
        .status = invoice_status_of_payment(
            payment->status_text, old != NULL ? old->status : INVOICE_DRAFT),
        .billing_reason = payment->billing_reason,
        .currency = payment->currency,
        .subtotal_minor = payment->subtotal_minor,
        .discount_minor = payment->discount_minor,
        .tax_minor = payment->tax_minor,
        .total_minor = payment->total_minor,
        .due_minor = payment->due_minor,
        .paid_minor = payment->paid_minor,
        .remaining_minor = payment->remaining_minor,
        .attempt_count = payment->attempt_count,
        .next_attempt_us = payment->next_attempt_us,
        .period_start_us = payment->period_start_us,
        .period_end_us = payment->period_end_us,
        .due_us = payment->due_us,
        .finalized_us = payment->finalized_us,
        .paid_us = payment->paid_us,
        .voided_us = payment->voided_us,
        .hosted_url = payment->hosted_url,
        .pdf_url = payment->pdf_url,
        .decline_code = decline_of(payment),
        .payment_intent = payment->payment_intent_id,
        .metadata = payment->metadata,
        .more_lines = payment->more_lines,
        .created_us = payment->created_us,
    };

    if (old != NULL && invoice_move_refused(old->status, next.status)) {
        log_warn(
            cx,
            "the payment side reopens an invoice that is final, ignoring",
            LOG_ID("invoice", ID_INVOICE, &old->invoice_id),
            LOG_TEXT("to", payment->status_text));
        next.status = old->status;
    }
    if (next.decline_code[0] != '\0') {
        const bool known = old != NULL && old->attempt_count == next.attempt_count &&
                           strcmp(old->decline_code, next.decline_code) == 0;

        next.failed_us = known ? old->failed_us : cx->now_us;
    }
    return next;
}

static const char *payload_of(struct ctx *cx, const struct invoice *invoice)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, PAYLOAD_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "invoice_id", id_text(cx->arena, ID_INVOICE, &invoice->invoice_id));
    json_put_text(&writer, "invoice_number", invoice->number);
    json_put_text(&writer, "status", invoice_status_name(invoice->status));
    json_put_text(&writer, "billing_reason", invoice->billing_reason);
    json_put_text(&writer, "currency", invoice->currency);
    json_put_i64(&writer, "total_minor", invoice->total_minor);
    json_put_i64(
        &writer,
        "amount_minor",
        invoice->status == INVOICE_PAID ? invoice->paid_minor : invoice->remaining_minor);
    json_put_i64(&writer, "remaining_minor", invoice->remaining_minor);
    json_put_i64(&writer, "attempt_count", invoice->attempt_count);
    json_put_i64(&writer, "next_attempt_us", invoice->next_attempt_us);
    json_put_text(&writer, "decline_code", invoice->decline_code);
    json_put_text(
        &writer, "decline_class", decline_class_name(decline_class_of(invoice->decline_code)));
    json_close_object(&writer);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

/* The last word about its money, for whoever looks at the subscription. */
static struct status
note_on_subscription(struct ctx *cx, struct tx *tx, const struct invoice *invoice, bool failed)
{
    const char *reason = NULL;
    const char *code = NULL;

    if (id_is_zero(&invoice->subscription_id)) {
        return STATUS_OK;
    }
    if (failed) {
        reason = reason_name(REASON_PAYMENT_DECLINED);
        code = invoice->decline_code;
    } else if (invoice->status == INVOICE_PAID) {
        reason = "";
        code = "";
    }
    return subscription_store_note_invoice(cx, tx, &invoice->subscription_id, reason, code);
}

static struct status tell_one(
    struct ctx *cx,
    struct tx *tx,
    enum event_type type,
    const struct invoice *invoice,
    const char *payload)
{
    const struct event event = {
        .type = type,
        .customer_id = invoice->customer_id,
        .subscription_id = invoice->subscription_id,
        .payload = payload,
    };

    return event_log_add(cx, tx, &event);
}

static struct status
tell(struct ctx *cx, struct tx *tx, const struct invoice *old, const struct invoice *invoice)
{
    enum event_type types[INVOICE_TOLD_MAX];
    const size_t count = invoice_events(old, invoice, types);
    const char *payload = payload_of(cx, invoice);
    bool failed = false;

    for (size_t i = 0; i < count; i++) {
        failed = failed || types[i] == EVENT_PAYMENT_FAILED;
        TRY(tell_one(cx, tx, types[i], invoice, payload));
    }
    return note_on_subscription(cx, tx, invoice, failed);
}

struct status invoice_apply(
    struct ctx *cx, struct tx *tx, const struct payment_invoice *payment, int64_t fetch_number)
{
    struct invoice old;
    struct invoice next;
    struct id customer_id;
    struct id subscription_id;
    bool found = false;

    TRY(subscriber_store_find_stripe(cx, tx, payment->customer_id, &customer_id));
    if (id_is_zero(&customer_id)) {
        return STATUS_OK;
    }
    /* The subscription first: a subscription is locked before its invoices everywhere. */
    TRY(find_subscription(cx, tx, payment, &subscription_id));
    TRY(invoice_store_lock_stripe(cx, tx, payment->id, &found, &old));
    if (found && fetch_number <= old.fetch_number) {
        return STATUS_OK;
    }
    next = next_state(cx, found ? &old : NULL, payment);
    next.fetch_number = fetch_number;
    next.customer_id = customer_id;
    next.subscription_id = subscription_id;
    TRY(invoice_store_write(cx, tx, &next, payment->raw));
    TRY(invoice_line_store_write(cx, tx, &next.invoice_id, payment->lines, payment->line_count));
    TRY(payment_attempt_note(cx, tx, &next, payment));
    return tell(cx, tx, found ? &old : NULL, &next);
}
