#include "sandbox/subscription_cycle.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/invoice.h"
#include "sandbox/payment_intent.h"
#include "sandbox/price.h"
#include "sandbox/product.h"
#include "sandbox/proration.h"
#include "sandbox/schedule.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_billing.h"

/* The customer has 23 hours to pay the first invoice, and hears three days ahead of a trial's end.
 */
#define INCOMPLETE_S (INT64_C(23) * 3600)
#define TRIAL_WILL_END_S (INT64_C(3) * 86400)

static int64_t now_of(const struct sim *sim, const struct subscription *subscription)
{
    return customer_now_s(sim, subscription->customer);
}

/* A trial is free; the time until the anchor costs its share of the period that ends there. */
static int64_t
first_charge(const struct subscription *subscription, const struct subscription_item *item)
{
    const int64_t stub_s = subscription->anchor_s - subscription->start_s;
    int64_t amount = 0;
    int64_t whole_s = 0;

    if (subscription->trial_end_s > 0 || item->price->metered) {
        return 0;
    }
    amount = price_amount(item->price, item->quantity);
    if (stub_s <= 0) {
        return amount;
    }
    whole_s =
        subscription->anchor_s - calendar_step(subscription->anchor_s, item->price->interval, -1);
    return subscription->free_until_anchor
               ? 0
               : atoms_round((atoms)amount * stub_s * ATOMS_PER_MINOR / whole_s);
}

int64_t subscription_cycle_first_amount(const struct subscription *subscription)
{
    int64_t amount = 0;

    if (subscription->trial_end_s > 0) {
        return 0;
    }
    for (size_t i = 0; i < subscription->item_count; i++) {
        amount += first_charge(subscription, &subscription->items[i]);
    }
    return amount - coupon_reduction(&subscription->discount, amount, subscription->start_s) +
           subscription->customer->balance;
}

static void begin_periods(struct subscription *subscription, int64_t now_s)
{
    for (size_t i = 0; i < subscription->item_count; i++) {
        struct subscription_item *item = &subscription->items[i];

        item->start_s = now_s;
        item->end_s = subscription->trial_end_s > 0
                          ? subscription->trial_end_s
                          : calendar_next(subscription->anchor_s, item->price->interval, now_s);
    }
}

static struct invoice *first_invoice(struct sim *sim, struct subscription *subscription)
{
    struct invoice *invoice = invoice_new(sim, subscription, "subscription_create");

    for (size_t i = 0; i < subscription->item_count; i++) {
        struct subscription_item *item = &subscription->items[i];
        struct invoice_line line;

        if (item->price->metered) {
            continue;
        }
        subscription_billing_line(sim, subscription, item, &line);
        line.amount = first_charge(subscription, item);
        if (subscription->trial_end_s > 0) {
            line.description = sim_text(
                sim,
                arena_printf(sim->cx->arena, "Trial period for %s", item->price->product->name));
        }
        item->debited = line.amount;
        invoice_add_line(sim, invoice, &line);
    }
    invoice_total(sim, invoice);
    subscription_billing_use_discount(subscription, invoice);
    return invoice;
}

void subscription_cycle_start(struct sim *sim, struct subscription *subscription, bool collect)
{
    struct invoice *invoice = NULL;

    begin_periods(subscription, subscription->start_s);
    invoice = first_invoice(sim, subscription);
    if (subscription->trial_end_s > 0) {
        subscription->status = SUBSCRIPTION_TRIALING;
    } else if (subscription->send_invoice || subscription_cycle_first_amount(subscription) <= 0) {
        subscription->status = SUBSCRIPTION_ACTIVE;
    } else {
        subscription->status = SUBSCRIPTION_INCOMPLETE;
    }
    event_emit(sim, "customer.subscription.created", subscription, NULL);
    event_emit(sim, "invoice.created", invoice, NULL);
    if (subscription->send_invoice && invoice->total > 0) {
        return; /* A draft for an hour, then sent. */
    }
    invoice_finalize(sim, invoice);
    if (invoice->status == INVOICE_OPEN) {
        invoice->next_attempt_s = 0;
        if (collect) {
            invoice_collect(sim, invoice, NULL, ATTEMPT_FIRST);
        } else if (invoice_method(invoice) != NULL) {
            invoice->intent->status = INTENT_REQUIRES_CONFIRMATION;
            invoice->intent->method = invoice_method(invoice);
        }
    }
}

static void
set_status(struct sim *sim, struct subscription *subscription, enum subscription_status status)
{
    const char *before = event_snapshot(sim, subscription);

    subscription->status = status;
    event_emit(sim, "customer.subscription.updated", subscription, before);
}

static void set_resumed(struct sim *sim, struct subscription *subscription)
{
    subscription->paused_type = NULL;
    set_status(sim, subscription, SUBSCRIPTION_ACTIVE);
    event_emit(sim, "customer.subscription.resumed", subscription, NULL);
}

static void renew_items(
    struct sim *sim, struct subscription *subscription, struct invoice *invoice, int64_t now_s)
{
    for (size_t i = 0; i < subscription->item_count; i++) {
        struct subscription_item *item = &subscription->items[i];

        if (item->end_s > now_s) {
            continue;
        }
        subscription_billing_add_used(sim, subscription, invoice, item);
        invoice->period_start_s = item->start_s;
        invoice->period_end_s = item->end_s;
        item->start_s = item->end_s;
        item->end_s = calendar_next(subscription->anchor_s, item->price->interval, item->start_s);
        subscription_billing_add_ahead(sim, subscription, invoice, item);
    }
    subscription_billing_add_kept(sim, subscription, invoice);
}

/* pause_collection leaves the status alone and takes the invoice out of the way. */
static void
treat_paused(struct sim *sim, struct subscription *subscription, struct invoice *invoice)
{
    const char *behavior = subscription->pause_collection;

    invoice->auto_advance = false;
    if (strcmp(behavior, "keep_as_draft") == 0) {
        invoice->finalizes_s = 0;
        return;
    }
    invoice_finalize(sim, invoice);
    if (invoice->status == INVOICE_OPEN) {
        if (strcmp(behavior, "void") == 0) {
            invoice_void(sim, invoice);
        } else {
            invoice_mark_uncollectible(sim, invoice);
        }
    }
}

void subscription_cycle_renew(struct sim *sim, struct subscription *subscription, bool immediately)
{
    const char *before = event_snapshot(sim, subscription);
    struct invoice *invoice = invoice_new(sim, subscription, "subscription_cycle");

    schedule_turn(sim, subscription, now_of(sim, subscription));
    renew_items(sim, subscription, invoice, now_of(sim, subscription));
    invoice_total(sim, invoice);
    subscription_billing_use_discount(subscription, invoice);
    if (subscription->status == SUBSCRIPTION_TRIALING) {
        subscription->status = SUBSCRIPTION_ACTIVE;
    }
    if (subscription->status == SUBSCRIPTION_UNPAID) {
        invoice->auto_advance = false;
        invoice->finalizes_s = 0;
    }
    event_emit(sim, "customer.subscription.updated", subscription, before);
    event_emit(sim, "invoice.created", invoice, NULL);
    if (subscription->pause_collection != NULL) {
        treat_paused(sim, subscription, invoice);
    } else if (immediately && subscription->status != SUBSCRIPTION_UNPAID) {
        invoice_act(sim, invoice);
    }
}

void subscription_cycle_paid(
    struct sim *sim, struct subscription *subscription, const struct invoice *invoice)
{
    if (subscription->latest_invoice != invoice) {
        return;
    }
    switch (subscription->status) {
    case SUBSCRIPTION_INCOMPLETE:
    case SUBSCRIPTION_PAST_DUE:
    case SUBSCRIPTION_UNPAID:
        set_status(sim, subscription, SUBSCRIPTION_ACTIVE);
        break;
    case SUBSCRIPTION_PAUSED:
        if (invoice->object.created_s >= subscription->paused_s &&
            strcmp(invoice->reason, "subscription_update") == 0) {
            set_resumed(sim, subscription);
        }
        break;
    case SUBSCRIPTION_INCOMPLETE_EXPIRED:
    case SUBSCRIPTION_TRIALING:
    case SUBSCRIPTION_ACTIVE:
    case SUBSCRIPTION_CANCELED:
        break;
    }
}

static void give_up(struct sim *sim, struct subscription *subscription, struct invoice *invoice)
{
    switch (subscription->object.owner->dunning_end) {
    case DUNNING_CANCEL:
        subscription_cycle_cancel(sim, subscription, "payment_failed");
        break;
    case DUNNING_UNPAID:
        set_status(sim, subscription, SUBSCRIPTION_UNPAID);
        break;
    case DUNNING_PAUSE:
        subscription_cycle_pause(sim, subscription, "final_payment_failure");
        break;
    case DUNNING_LEAVE:
        break;
    }
    invoice->auto_advance = false;
}

void subscription_cycle_failed(
    struct sim *sim, struct subscription *subscription, struct invoice *invoice, bool exhausted)
{
    if (subscription->status == SUBSCRIPTION_ACTIVE ||
        subscription->status == SUBSCRIPTION_TRIALING) {
        set_status(sim, subscription, SUBSCRIPTION_PAST_DUE);
    }
    if (exhausted && subscription->status == SUBSCRIPTION_PAST_DUE) {
        give_up(sim, subscription, invoice);
    }
}

/* What was finalised is not collected any more once the subscription is gone. */
static void stop_collecting(struct subscription *subscription)
{
    const struct object_list *invoices = &subscription->object.owner->lists[KIND_INVOICE];

    for (size_t i = 0; i < invoices->count; i++) {
        struct invoice *invoice = (struct invoice *)invoices->items[i];

        if (invoice->subscription == subscription && invoice->status == INVOICE_OPEN) {
            invoice->auto_advance = false;
            invoice->next_attempt_s = 0;
        }
    }
}

void subscription_cycle_cancel(
    struct sim *sim, struct subscription *subscription, const char *reason)
{
    const int64_t now_s = now_of(sim, subscription);

    if (subscription->status == SUBSCRIPTION_INCOMPLETE) {
        invoice_void(sim, subscription->latest_invoice);
    }
    subscription->status = SUBSCRIPTION_CANCELED;
    subscription->ended_s = now_s;
    subscription->paused_type = NULL;
    if (subscription->canceled_s == 0) {
        subscription->canceled_s = now_s;
    }
    if (subscription->cancel_reason == NULL) {
        subscription->cancel_reason = reason;
    }
    stop_collecting(subscription);
    schedule_cancel(sim, subscription);
    event_emit(sim, "customer.subscription.deleted", subscription, NULL);
}

void subscription_cycle_cancel_all(struct sim *sim, struct customer *customer)
{
    const struct object_list *list = &customer->object.owner->lists[KIND_SUBSCRIPTION];

    for (size_t i = 0; i < list->count; i++) {
        struct subscription *subscription = (struct subscription *)list->items[i];

        if (subscription->customer == customer && subscription_is_live(subscription)) {
            subscription_cycle_cancel(sim, subscription, "cancellation_requested");
        }
    }
}

void subscription_cycle_pause(struct sim *sim, struct subscription *subscription, const char *type)
{
    const char *before = event_snapshot(sim, subscription);

    subscription->status = SUBSCRIPTION_PAUSED;
    subscription->paused_type = type;
    subscription->paused_s = now_of(sim, subscription);
    event_emit(sim, "customer.subscription.updated", subscription, before);
    event_emit(sim, "customer.subscription.paused", subscription, NULL);
}

static void begin_anew(
    struct sim *sim, struct subscription *subscription, struct invoice *invoice, int64_t now_s)
{
    subscription->anchor_s = now_s;
    for (size_t i = 0; i < subscription->item_count; i++) {
        struct subscription_item *item = &subscription->items[i];

        item->start_s = now_s;
        item->end_s = calendar_next(now_s, item->price->interval, now_s);
        subscription_billing_add_ahead(sim, subscription, invoice, item);
    }
}

/* A period that was paid and is not over costs nothing. */
static void
go_on(struct sim *sim, struct subscription *subscription, struct invoice *invoice, int64_t now_s)
{
    for (size_t i = 0; i < subscription->item_count; i++) {
        struct subscription_item *item = &subscription->items[i];
        struct invoice_line lines[2];
        size_t count = 0;

        if (item->end_s > now_s && item->debited != 0) {
            continue;
        }
        while (item->end_s <= now_s) {
            item->start_s = item->end_s;
            item->end_s =
                calendar_next(subscription->anchor_s, item->price->interval, item->start_s);
        }
        count = proration_lines(sim, NULL, item, now_s, lines);
        for (size_t k = 0; k < count; k++) {
            invoice_add_line(sim, invoice, &lines[k]);
        }
        item->debited = item->price->metered ? 0 : price_amount(item->price, item->quantity);
    }
}

static bool costs_nothing(const struct subscription *subscription, int64_t now_s)
{
    for (size_t i = 0; i < subscription->item_count; i++) {
        if (subscription->items[i].end_s <= now_s || subscription->items[i].debited == 0) {
            return false;
        }
    }
    return subscription->pending_count == 0;
}

void subscription_cycle_resume(
    struct sim *sim, struct subscription *subscription, struct resumption how)
{
    const char *before = event_snapshot(sim, subscription);
    const int64_t now_s = now_of(sim, subscription);
    struct invoice *invoice = NULL;

    subscription->trial_end_s =
        subscription->trial_end_s < now_s ? subscription->trial_end_s : now_s;
    if (!how.new_period && costs_nothing(subscription, now_s)) {
        set_resumed(sim, subscription);
        return;
    }
    invoice = invoice_new(sim, subscription, "subscription_update");
    if (how.new_period) {
        begin_anew(sim, subscription, invoice, now_s);
    } else {
        go_on(sim, subscription, invoice, now_s);
    }
    subscription_billing_add_kept(sim, subscription, invoice);
    event_emit(sim, "customer.subscription.updated", subscription, before);
    if (how.attempt) {
        set_resumed(sim, subscription);
    }
    subscription_billing_collect(sim, invoice);
}
