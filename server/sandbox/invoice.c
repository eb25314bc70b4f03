#include "sandbox/invoice.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/invoice_payment.h"
#include "sandbox/payment_intent.h"
#include "sandbox/price.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_cycle.h"

#define DAY_S 86400

struct invoice *invoice_new(struct sim *sim, struct subscription *subscription, const char *reason)
{
    struct customer *customer = subscription->customer;
    struct invoice *invoice =
        object_new(sim, customer->object.owner, KIND_INVOICE, sizeof *invoice, NULL);
    const int64_t now_s = customer_now_s(sim, customer);

    invoice->object.created_s = now_s;
    invoice->customer = customer;
    invoice->subscription = subscription;
    invoice->reason = reason;
    invoice->currency = subscription_currency(subscription);
    invoice->period_start_s = now_s;
    invoice->period_end_s = now_s;
    invoice->send = subscription->send_invoice;
    invoice->due_s = invoice->send ? now_s + subscription->days_until_due * DAY_S : 0;
    invoice->auto_advance = true;
    invoice->finalizes_s = now_s + INVOICE_DRAFT_S;
    invoice->discount = subscription->discount;
    if (subscription->metadata.count > 0) {
        struct metadata *copy = &invoice->subscription_metadata;

        copy->pairs = sim_alloc(sim, METADATA_PAIRS_MAX * sizeof *copy->pairs);
        copy->count = subscription->metadata.count;
        memcpy(copy->pairs, subscription->metadata.pairs, copy->count * sizeof *copy->pairs);
    }
    if (customer->currency == NULL) {
        customer->currency = invoice->currency;
    }
    subscription->latest_invoice = invoice;
    return invoice;
}

void invoice_add_line(struct sim *sim, struct invoice *invoice, const struct invoice_line *line)
{
    struct invoice_line *copy = NULL;

    if (invoice->line_count == INVOICE_LINES_MAX) {
        return;
    }
    if (invoice->line_count == invoice->line_capacity) {
        const size_t capacity = invoice->line_capacity == 0 ? 4 : invoice->line_capacity * 2;
        struct invoice_line *lines = sim_alloc(sim, capacity * sizeof *lines);

        if (invoice->line_count > 0) {
            memcpy(lines, invoice->lines, invoice->line_count * sizeof *lines);
        }
        invoice->lines = lines;
        invoice->line_capacity = capacity;
    }
    copy = &invoice->lines[invoice->line_count++];
    *copy = *line;
    copy->id = sim_draw_id(sim, "il_");
}

void invoice_total(struct sim *sim, struct invoice *invoice)
{
    const int64_t now_s = customer_now_s(sim, invoice->customer);

    invoice->subtotal = 0;
    invoice->reduction = 0;
    for (size_t i = 0; i < invoice->line_count; i++) {
        invoice->subtotal += invoice->lines[i].amount;
    }
    if (invoice->discount.id != NULL) {
        int64_t left = coupon_reduction(&invoice->discount, invoice->subtotal, now_s);

        invoice->reduction = left;
        for (size_t i = 0; i < invoice->line_count && invoice->subtotal > 0; i++) {
            struct invoice_line *line = &invoice->lines[i];
            const bool last = i + 1 == invoice->line_count;

            line->reduction =
                last ? left
                     : (int64_t)((atoms)line->amount * invoice->reduction / invoice->subtotal);
            left -= line->reduction;
        }
    }
    invoice->total = invoice->subtotal - invoice->reduction;
    invoice->starting_balance = invoice->customer->balance;
    invoice->amount_due = invoice->total > 0 ? invoice->total : 0;
}

int64_t invoice_fee(const struct invoice *invoice)
{
    const int64_t hundredths =
        invoice->subscription == NULL ? 0 : invoice->subscription->fee_hundredths;

    return invoice->total <= 0 ? 0 : (int64_t)(((atoms)invoice->total * hundredths + 5000) / 10000);
}

int64_t invoice_remaining(const struct invoice *invoice)
{
    return invoice->amount_due - invoice->amount_paid;
}

/* Credit of the customer is used up first; what an invoice gives back becomes credit. */
static void use_balance(struct invoice *invoice)
{
    struct customer *customer = invoice->customer;
    const int64_t owed = invoice->total + customer->balance;

    invoice->starting_balance = customer->balance;
    invoice->amount_due = owed > 0 ? owed : 0;
    customer->balance = owed > 0 ? 0 : owed;
    invoice->ending_balance = customer->balance;
}

void invoice_finalize(struct sim *sim, struct invoice *invoice)
{
    const char *before = event_snapshot(sim, invoice);
    const char *customer_before = event_snapshot(sim, invoice->customer);

    use_balance(invoice);
    invoice->status = INVOICE_OPEN;
    invoice->finalizes_s = 0;
    invoice->finalized_s = customer_now_s(sim, invoice->customer);
    invoice->customer->invoice_count++;
    invoice->number = sim_text(
        sim,
        arena_printf(
            sim->cx->arena,
            "%s-%04lld",
            invoice->customer->invoice_prefix,
            (long long)invoice->customer->invoice_count));
    if (invoice->amount_due > 0) {
        invoice->intent = payment_intent_new(sim, invoice);
        invoice->payment = invoice_payment_new(sim, invoice, invoice->intent);
        if (!invoice->send && invoice->auto_advance) {
            invoice->next_attempt_s = invoice->finalized_s;
        }
        event_emit(sim, "payment_intent.created", invoice->intent, NULL);
    }
    event_emit(sim, "invoice.finalized", invoice, NULL);
    event_emit(sim, "invoice.updated", invoice, before);
    event_emit(sim, "customer.updated", invoice->customer, customer_before);
    if (invoice->amount_due == 0) {
        invoice_mark_paid(sim, invoice, /* out_of_band= */ false);
    }
}

struct payment_method *invoice_method(const struct invoice *invoice)
{
    if (invoice->default_payment_method != NULL) {
        return invoice->default_payment_method;
    }
    if (invoice->subscription != NULL && invoice->subscription->default_payment_method != NULL) {
        return invoice->subscription->default_payment_method;
    }
    return invoice->customer->default_payment_method;
}

bool invoice_collect(
    struct sim *sim, struct invoice *invoice, struct payment_method *method, enum attempt attempt)
{
    bool paid = false;

    if (method == NULL) {
        method = invoice_method(invoice);
    }
    /* After a hard decline the schedule goes on counting, but the card is left alone. */
    if (method != NULL && !(attempt == ATTEMPT_SCHEDULED && method == invoice->hopeless_method)) {
        paid = payment_intent_attempt(
            sim, invoice->intent, method, /* off_session= */ attempt != ATTEMPT_FIRST);
        if (!paid && invoice->intent->last_error.hard) {
            invoice->hopeless_method = method;
        }
    }
    if (paid) {
        invoice_mark_paid(sim, invoice, /* out_of_band= */ false);
    } else {
        invoice_mark_failed(sim, invoice, attempt);
    }
    return paid;
}

static void set_delinquent(struct sim *sim, struct customer *customer, bool delinquent)
{
    const char *before = event_snapshot(sim, customer);

    customer->delinquent = delinquent;
    event_emit(sim, "customer.updated", customer, before);
}

void invoice_mark_paid(struct sim *sim, struct invoice *invoice, bool out_of_band)
{
    const char *before = event_snapshot(sim, invoice);
    const int64_t now_s = customer_now_s(sim, invoice->customer);

    invoice->status = INVOICE_PAID;
    invoice->paid_s = now_s;
    invoice->next_attempt_s = 0;
    invoice->amount_paid = out_of_band ? 0 : invoice->amount_due;
    if (invoice->amount_due > 0 && !out_of_band) {
        invoice->attempted = true;
        invoice->attempt_count += invoice->attempt_count == 0;
    }
    if (out_of_band) {
        payment_intent_cancel(sim, invoice->intent, "void_invoice");
    }
    if (invoice->payment != NULL && !out_of_band) {
        invoice->payment->status = INVOICE_PAYMENT_PAID;
        invoice->payment->amount_paid = invoice->amount_due;
        invoice->payment->paid_s = now_s;
        event_emit(sim, "invoice_payment.paid", invoice->payment, NULL);
    }
    event_emit(sim, "invoice.updated", invoice, before);
    event_emit(sim, "invoice.paid", invoice, NULL);
    event_emit(sim, "invoice.payment_succeeded", invoice, NULL);
    set_delinquent(sim, invoice->customer, false);
    if (invoice->subscription != NULL) {
        subscription_cycle_paid(sim, invoice->subscription, invoice);
    }
}

/* When the next attempt is; 0 when there is none left. The first invoice of a subscription is not
 * tried again: the customer has 23 hours to pay it. */
static int64_t next_attempt(const struct invoice *invoice, int64_t now_s)
{
    const struct account *account = invoice->object.owner;
    const int64_t done = invoice->attempt_count - 1;

    if (strcmp(invoice->reason, "subscription_create") == 0 || !invoice->auto_advance ||
        account->deauthorized || done >= account->retry_count) {
        return 0;
    }
    return now_s + account->retry_after_s[done < 0 ? 0 : done];
}

void invoice_mark_failed(struct sim *sim, struct invoice *invoice, enum attempt attempt)
{
    const char *before = event_snapshot(sim, invoice);
    const bool counted = attempt != ATTEMPT_MANUAL || invoice->attempt_count == 0;
    const bool waits = invoice->intent != NULL && invoice->intent->status == INTENT_REQUIRES_ACTION;

    invoice->attempted = true;
    if (counted) {
        invoice->attempt_count++;
        invoice->next_attempt_s = next_attempt(invoice, customer_now_s(sim, invoice->customer));
    }
    event_emit(sim, "invoice.updated", invoice, before);
    event_emit(sim, "invoice.payment_failed", invoice, NULL);
    if (waits || (invoice->intent != NULL && invoice->intent->last_error.code != NULL &&
                  strcmp(invoice->intent->last_error.code, "authentication_required") == 0)) {
        event_emit(sim, "invoice.payment_action_required", invoice, NULL);
    }
    set_delinquent(sim, invoice->customer, true);
    if (invoice->subscription != NULL) {
        subscription_cycle_failed(
            sim,
            invoice->subscription,
            invoice,
            /* exhausted= */ counted && invoice->next_attempt_s == 0);
    }
}

void invoice_void(struct sim *sim, struct invoice *invoice)
{
    const char *before = event_snapshot(sim, invoice);
    const int64_t now_s = customer_now_s(sim, invoice->customer);

    invoice->status = INVOICE_VOID;
    invoice->voided_s = now_s;
    invoice->next_attempt_s = 0;
    invoice->finalizes_s = 0;
    if (invoice->payment != NULL) {
        invoice->payment->status = INVOICE_PAYMENT_CANCELED;
        invoice->payment->canceled_s = now_s;
    }
    payment_intent_cancel(sim, invoice->intent, "void_invoice");
    event_emit(sim, "invoice.voided", invoice, NULL);
    event_emit(sim, "invoice.updated", invoice, before);
}

void invoice_mark_uncollectible(struct sim *sim, struct invoice *invoice)
{
    const char *before = event_snapshot(sim, invoice);

    invoice->status = INVOICE_UNCOLLECTIBLE;
    invoice->uncollectible_s = customer_now_s(sim, invoice->customer);
    invoice->next_attempt_s = 0;
    event_emit(sim, "invoice.marked_uncollectible", invoice, NULL);
    event_emit(sim, "invoice.updated", invoice, before);
}

int64_t invoice_due_s(const struct invoice *invoice)
{
    if (!invoice->auto_advance || invoice->object.owner->deauthorized) {
        return 0;
    }
    if (invoice->status == INVOICE_DRAFT) {
        return invoice->finalizes_s;
    }
    return invoice->status == INVOICE_OPEN ? invoice->next_attempt_s : 0;
}

void invoice_act(struct sim *sim, struct invoice *invoice)
{
    if (invoice->status == INVOICE_DRAFT) {
        invoice_finalize(sim, invoice);
    }
    if (invoice->status == INVOICE_OPEN && invoice->next_attempt_s > 0) {
        invoice->next_attempt_s = 0;
        invoice_collect(sim, invoice, NULL, ATTEMPT_SCHEDULED);
    }
}

const char *invoice_status_word(enum invoice_status status)
{
    static const char *const words[] = {
        [INVOICE_DRAFT] = "draft",
        [INVOICE_OPEN] = "open",
        [INVOICE_PAID] = "paid",
        [INVOICE_UNCOLLECTIBLE] = "uncollectible",
        [INVOICE_VOID] = "void"};

    return words[status];
}
