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

/* New items join the current period of the first one; a new interval starts a period. */
static void set_periods(const struct subscription *subscription, struct item_change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        struct subscription_item *item = &change->items[i];

        if (item->price == NULL) {
            continue;
        }
        if (change->interval) {
            item->start_s = change->at_s;
            item->end_s = calendar_next(change->at_s, item->price->interval, change->at_s);
        } else if (item->id == NULL) {
            item->start_s = subscription->items[0].start_s;
            item->end_s = subscription->items[0].end_s;
        }
    }
}

static void
make_lines(struct sim *sim, const struct subscription *subscription, struct item_change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        const struct subscription_item *item = &change->items[i];
        const struct subscription_item *old =
            i < subscription->item_count ? &subscription->items[i] : NULL;

        if (old != NULL && old->price == item->price && old->quantity == item->quantity &&
            !change->interval) {
            continue;
        }
        change->line_count += proration_lines(
            sim,
            old,
            item->price == NULL ? NULL : item,
            change->at_s,
            &change->lines[change->line_count]);
    }
}

static int64_t sum(const struct item_change *change)
{
    int64_t amount = 0;

    for (size_t i = 0; i < change->line_count; i++) {
        amount += change->lines[i].amount;
    }
    return amount;
}

bool item_change_plan(
    struct call *call, const struct subscription *subscription, struct item_change *change)
{
    const char *behavior = call_text(call, "proration_behavior");
    const struct payment_method *method = subscription->default_payment_method != NULL
                                              ? subscription->default_payment_method
                                              : subscription->customer->default_payment_method;

    *change = (struct item_change){.count = 0};
    behavior = behavior == NULL ? "create_prorations" : behavior;
    change->at_s =
        call_i64(call, "proration_date", customer_now_s(call->sim, subscription->customer));
    if (!read_items(call, subscription, change)) {
        return false;
    }
    set_periods(subscription, change);
    change->bill_now = strcmp(behavior, "always_invoice") == 0 || change->interval;
    if (subscription->status != SUBSCRIPTION_TRIALING &&
        (strcmp(behavior, "none") != 0 || change->interval)) {
        make_lines(call->sim, subscription, change);
    }
    return !change->bill_now || subscription->send_invoice || change->line_count == 0 ||
           subscription_draft_payment(call, subscription->customer, method, sum(change));
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
        if (subscription->status != SUBSCRIPTION_TRIALING) {
            item->debited = item->price->metered ? 0 : price_amount(item->price, item->quantity);
        }
        subscription->items[subscription->item_count++] = *item;
    }
    if (change->interval) {
        subscription->anchor_s = change->at_s;
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
