#include "sandbox/subscription_billing.h"

#include <ctype.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/money.h"
#include "sandbox/event.h"
#include "sandbox/meter.h"
#include "sandbox/price.h"
#include "sandbox/product.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"

static const char *describe(struct sim *sim, const struct subscription_item *item, int64_t quantity)
{
    const struct price *price = item->price;
    struct money money = {.minor = atoms_round(price->unit)};
    char text[MONEY_TEXT_SIZE];

    for (size_t i = 0; i < 3; i++) {
        money.currency[i] = (char)toupper((unsigned char)price->currency[i]);
    }
    money_format(money, text);
    return sim_text(
        sim,
        arena_printf(
            sim->cx->arena,
            "%lld × %s (at %s / %s)",
            (long long)quantity,
            price->product->name,
            price->tiered ? "tiered prices" : text,
            calendar_unit_word(price->interval.unit)));
}

void subscription_billing_line(
    struct sim *sim,
    const struct subscription *subscription,
    const struct subscription_item *item,
    struct invoice_line *ret_line)
{
    const int64_t quantity =
        item->price->metered
            ? meter_usage(item->price->meter, subscription->customer, item->start_s, item->end_s)
            : item->quantity;

    *ret_line = (struct invoice_line){
        .description = describe(sim, item, quantity),
        .item_id = item->id,
        .price = item->price,
        .amount = price_amount(item->price, quantity),
        .quantity = quantity,
        .start_s = item->start_s,
        .end_s = item->end_s,
    };
}

/* Lines that wait from earlier changes go onto the next invoice. */
void subscription_billing_add_kept(
    struct sim *sim, struct subscription *subscription, struct invoice *invoice)
{
    for (size_t i = 0; i < subscription->pending_count; i++) {
        invoice_add_line(sim, invoice, &subscription->pending[i]);
    }
    subscription->pending_count = 0;
}

void subscription_billing_use_discount(
    struct subscription *subscription, const struct invoice *invoice)
{
    if (subscription->discount.id != NULL && invoice->reduction > 0 &&
        subscription->discount.coupon->duration == COUPON_ONCE) {
        subscription->discount.used_up = true;
    }
}

/* The line of a period that is over: metered items are paid afterwards, the others in advance. What
 * is used during a trial is free. */
void subscription_billing_add_used(
    struct sim *sim,
    struct subscription *subscription,
    struct invoice *invoice,
    const struct subscription_item *item)
{
    struct invoice_line line;

    if (item->price->metered && subscription->status != SUBSCRIPTION_TRIALING) {
        subscription_billing_line(sim, subscription, item, &line);
        invoice_add_line(sim, invoice, &line);
    }
}

void subscription_billing_add_ahead(
    struct sim *sim,
    struct subscription *subscription,
    struct invoice *invoice,
    struct subscription_item *item)
{
    struct invoice_line line;

    if (!item->price->metered) {
        subscription_billing_line(sim, subscription, item, &line);
        item->debited = line.amount;
        invoice_add_line(sim, invoice, &line);
    }
}

void subscription_billing_collect(struct sim *sim, struct invoice *invoice)
{
    invoice_total(sim, invoice);
    event_emit(sim, "invoice.created", invoice, NULL);
    invoice_act(sim, invoice);
}

void subscription_billing_keep(
    struct sim *sim,
    struct subscription *subscription,
    const struct invoice_line *lines,
    size_t count)
{
    if (subscription->pending == NULL) {
        subscription->pending = sim_alloc(sim, PENDING_LINES_MAX * sizeof *subscription->pending);
    }
    for (size_t i = 0; i < count && subscription->pending_count < PENDING_LINES_MAX; i++) {
        subscription->pending[subscription->pending_count++] = lines[i];
    }
}

void subscription_billing_invoice_kept(
    struct sim *sim, struct subscription *subscription, const char *reason)
{
    struct invoice *invoice = invoice_new(sim, subscription, reason);

    subscription_billing_add_kept(sim, subscription, invoice);
    subscription_billing_collect(sim, invoice);
}

void subscription_billing_invoice_rest(struct sim *sim, struct subscription *subscription)
{
    struct invoice *invoice = invoice_new(sim, subscription, "manual");

    for (size_t i = 0; i < subscription->item_count; i++) {
        subscription_billing_add_used(sim, subscription, invoice, &subscription->items[i]);
    }
    subscription_billing_add_kept(sim, subscription, invoice);
    subscription_billing_collect(sim, invoice);
}
