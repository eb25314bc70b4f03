#include "sandbox/item_change.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/call.h"
#include "sandbox/customer.h"
#include "sandbox/price.h"
#include "sandbox/proration.h"
#include "sandbox/sim.h"
#include "sandbox/subscription_billing.h"
#include "sandbox/subscription_draft.h"
#include "sandbox/upcoming.h"

static struct subscription_item *find_item(struct item_change *change, const char *id)
{
    for (size_t i = 0; i < change->count; i++) {
        if (change->items[i].id != NULL && strcmp(change->items[i].id, id) == 0) {
            return &change->items[i];
        }
    }
    return NULL;
}

/* With an id the item is changed, without one another item is added: the classic way to bill twice.
 */
static bool read_item(struct call *call, size_t n, struct item_change *change)
{
    const char *id = form_getf(&call->form, "items[%zu][id]", n);
    const char *deleted = form_getf(&call->form, "items[%zu][deleted]", n);
    struct subscription_item *item = NULL;
    const struct price *before = NULL;

    if (id == NULL) {
        item = &change->items[change->count++];
        *item = (struct subscription_item){.created_s = change->at_s};
    } else {
        item = find_item(change, id);
        if (item == NULL) {
            return call_fail(
                call,
                400,
                "resource_missing",
                arena_printf(call->cx->arena, "items[%zu][id]", n),
                "No such subscription item: '%s'",
                id);
        }
    }
    if (deleted != NULL && strcmp(deleted, "true") == 0) {
        item->price = NULL;
        return true;
    }
    before = item->price;
    if (!subscription_draft_item(call, n, item)) {
        return false;
    }
    change->interval = change->interval ||
                       (before != NULL && (before->interval.unit != item->price->interval.unit ||
                                           before->interval.count != item->price->interval.count));
    return true;
}

static bool
read_items(struct call *call, const struct subscription *subscription, struct item_change *change)
{
    const size_t count = form_len(&call->form, "items");
    struct subscription_item kept[ITEM_CHANGE_MAX];
    size_t kept_count = 0;

    memcpy(change->items, subscription->items, sizeof subscription->items);
    change->count = subscription->item_count;
    change->any = count > 0;
    if (count > SUBSCRIPTION_ITEMS_MAX) {
        return call_fail(call, 400, NULL, "items", "A subscription has at most 20 items.");
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_item(call, i, change)) {
            return false;
        }
    }
    for (size_t i = 0; i < change->count; i++) {
        if (change->items[i].price != NULL) {
            kept[kept_count++] = change->items[i];
        }
    }
    if (kept_count > SUBSCRIPTION_ITEMS_MAX) {
        return call_fail(call, 400, NULL, "items", "A subscription has at most 20 items.");
    }
    return subscription_draft_check_items(call, subscription->customer, kept, kept_count);
}

/* New items join the current period of the first one; a new interval starts a period, now: the
 * proration date only says what the old one is credited for. */
static void
set_periods(const struct subscription *subscription, struct item_change *change, int64_t now_s)
{
    for (size_t i = 0; i < change->count; i++) {
        struct subscription_item *item = &change->items[i];

        if (item->price == NULL) {
            continue;
        }
        if (change->interval) {
            item->start_s = now_s;
            item->end_s = calendar_next(now_s, item->price->interval, now_s);
        } else if (item->id == NULL) {
            item->start_s = subscription->items[0].start_s;
            item->end_s = subscription->items[0].end_s;
        }
    }
}

static bool same(const struct subscription_item *old, const struct subscription_item *item)
{
    return old != NULL && old->price == item->price && old->quantity == item->quantity;
}

/* The credit of the old item, and the debit of the new one: for the rest of the period, or for the
 * whole of one that begins now, as at every renewal. */
static void add_lines(
    struct sim *sim,
    const struct subscription *subscription,
    const struct subscription_item *old,
    struct subscription_item *item,
    struct item_change *change)
{
    const struct subscription_item *rest = change->interval || item->price == NULL ? NULL : item;

    if (change->prorate) {
        change->line_count +=
            proration_lines(sim, old, rest, change->at_s, &change->lines[change->line_count]);
    }
    if (item->price == NULL || item->price->metered) {
        item->debited = 0;
        return;
    }
    if (change->interval) {
        subscription_billing_line(sim, subscription, item, &change->lines[change->line_count++]);
    }
    if (change->interval || change->prorate) {
        item->debited = price_amount(item->price, item->quantity);
    }
}

static void
make_lines(struct sim *sim, const struct subscription *subscription, struct item_change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        const struct subscription_item *old =
            i < subscription->item_count ? &subscription->items[i] : NULL;

        if (change->interval || !same(old, &change->items[i])) {
            add_lines(sim, subscription, old, &change->items[i], change);
        }
    }
}

/* Within the current period, as the provider demands. */
static bool
read_date(struct call *call, const struct subscription *subscription, struct item_change *change)
{
    change->at_s =
        call_i64(call, "proration_date", customer_now_s(call->sim, subscription->customer));
    return call_text(call, "proration_date") == NULL ||
           (change->at_s >= subscription->items[0].start_s &&
            change->at_s <= subscription->items[0].end_s) ||
           call_fail(
               call,
               400,
               NULL,
               "proration_date",
               "Invalid proration date: it must be within the current period of the subscription.");
}

bool item_change_plan(
    struct call *call, const struct subscription *subscription, struct item_change *change)
{
    const char *behavior = call_text(call, "proration_behavior");

    *change = (struct item_change){.count = 0};
    behavior = behavior == NULL ? "create_prorations" : behavior;
    if (!read_date(call, subscription, change) || !read_items(call, subscription, change)) {
        return false;
    }
    set_periods(subscription, change, customer_now_s(call->sim, subscription->customer));
    change->prorate = strcmp(behavior, "none") != 0;
    change->bill_now = strcmp(behavior, "always_invoice") == 0 || change->interval;
    if (subscription->status != SUBSCRIPTION_TRIALING) {
        make_lines(call->sim, subscription, change);
    }
    return true;
}

bool item_change_check_payment(
    struct call *call, const struct subscription *subscription, const struct item_change *change)
{
    const struct payment_method *method = subscription->default_payment_method != NULL
                                              ? subscription->default_payment_method
                                              : subscription->customer->default_payment_method;
    struct invoice invoice;

    if (!change->bill_now || subscription->send_invoice || change->line_count == 0) {
        return true;
    }
    upcoming_invoice(call->sim, subscription, change, &invoice);
    return subscription_draft_payment(call, subscription->customer, method, invoice.amount_due);
}

void item_change_apply(
    struct call *call, struct subscription *subscription, struct item_change *change)
{
    if (!change->any) {
        return;
    }
    subscription->item_count = 0;
    for (size_t i = 0; i < change->count; i++) {
        struct subscription_item *item = &change->items[i];

        if (item->price == NULL) {
            continue;
        }
        if (item->id == NULL) {
            item->id = sim_draw_id(call->sim, "si_");
        }
        subscription->items[subscription->item_count++] = *item;
    }
    if (change->interval) {
        subscription->anchor_s = customer_now_s(call->sim, subscription->customer);
    }
}

void item_change_bill(
    struct sim *sim, struct subscription *subscription, const struct item_change *change)
{
    if (change->line_count == 0) {
        return;
    }
    subscription_billing_keep(sim, subscription, change->lines, change->line_count);
    if (change->bill_now) {
        subscription_billing_invoice_kept(sim, subscription, "subscription_update");
    }
}
