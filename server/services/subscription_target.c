#include "services/subscription_target.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/price_amount.h"
#include "services/offer_choice.h"
#include "services/subscription_guard.h"
#include "store/db.h"
#include "store/offer_store.h"
#include "store/price_store.h"
#include "store/subscription_item_store.h"

/* What the target is found from. */
struct finding {
    const struct subscription *row;
    const struct subscription_wish *wish;
    struct price old_price;
    struct price new_price;
    struct offer offer; /* of the plan that it shall be */
    const struct offer_price *chosen;
    struct subscription_item_row items[SUBSCRIPTION_ITEMS_MAX];
    size_t item_count;
};

static struct status load_offer(struct ctx *cx, struct tx *tx, struct finding *finding)
{
    const struct subscription *row = finding->row;
    const struct subscription_wish *wish = finding->wish;
    const bool same_plan = wish->plan_id == NULL && wish->plan_key == NULL;
    struct offer *offer = &finding->offer;
    struct status status;

    TRY(offer_store_load(
        cx,
        tx,
        same_plan ? &row->plan_id : wish->plan_id,
        same_plan ? NULL : wish->plan_key,
        same_plan && wish->plan_version == 0 ? row->plan_version : wish->plan_version,
        offer));
    if (id_equal(&offer->plan_id, &row->plan_id) && offer->plan_version == row->plan_version) {
        return STATUS_OK; /* who has it may keep it, whatever has become of it */
    }
    status = status_of(cx, offer->archived ? REASON_PLAN_ARCHIVED : REASON_PLAN_NOT_PUBLISHED);
    if (offer->archived || !offer->published) {
        return status_pair(cx, status, "plan_id", id_text(cx->arena, ID_PLAN, &offer->plan_id));
    }
    return offer->addon
               ? status_field(
                     cx, "change.plan", "is an add-on, which is sold along with a plan only")
               : STATUS_OK;
}

static struct status currency_mismatch(struct ctx *cx, const struct finding *finding)
{
    struct status status = status_fail(
        cx,
        REASON_CURRENCY_MISMATCH,
        "the subscription is paid in %s, the price is in %s",
        finding->row->currency,
        finding->new_price.currency);

    status = status_pair(cx, status, "expected_currency_code", finding->row->currency);
    return status_pair(cx, status, "currency_code", finding->new_price.currency);
}

/* The price it has is kept unless something is asked for that it does not fit. */
static struct status choose_price(struct ctx *cx, struct tx *tx, struct finding *finding)
{
    const struct subscription *row = finding->row;
    const struct subscription_wish *wish = finding->wish;
    const struct offer *offer = &finding->offer;
    const bool other_plan =
        !id_equal(&offer->plan_id, &row->plan_id) || offer->plan_version != row->plan_version;
    struct offer_wish choice = {
        .price_id = wish->price_id,
        .interval = wish->interval != 0 ? wish->interval : finding->old_price.interval,
        .currency = row->currency,
        .customer_currency = "",
        .quantity = wish->quantity != 0 ? wish->quantity : row->quantity,
    };
    struct offer kept = *offer;

    if (id_is_zero(&wish->price_id) && !other_plan &&
        choice.interval == finding->old_price.interval) {
        choice.price_id = row->price_id;
    }
    if (id_equal(&choice.price_id, &row->price_id)) {
        struct offer_price *prices =
            arena_alloc(cx->arena, (offer->price_count + 1) * sizeof *prices);

        for (size_t i = 0; i < offer->price_count; i++) {
            prices[i] = offer->prices[i];
            prices[i].archived =
                prices[i].archived && !id_equal(&prices[i].price_id, &row->price_id);
        }
        kept.prices = prices;
    }
    TRY(offer_choose(cx, &kept, &choice, &finding->chosen));
    TRY(price_store_load(cx, NULL, tx, &finding->chosen->price_id, &finding->new_price));
    if (strcmp(finding->new_price.currency, row->currency) != 0) {
        return currency_mismatch(cx, finding);
    }
    return offer_check_mirrored(cx, offer, finding->chosen);
}

static const struct offer_price *
goes_along(const struct finding *finding, const struct subscription_item_row *item)
{
    for (size_t i = 0; i < finding->offer.price_count; i++) {
        const struct offer_price *price = &finding->offer.prices[i];

        if (id_equal(&price->price_id, &item->item.price_id) &&
            offer_goes_along(finding->chosen, price)) {
            return price;
        }
    }
    return NULL;
}

static bool present(const struct finding *finding, const struct offer_price *price)
{
    for (size_t i = 0; i < finding->item_count; i++) {
        if (id_equal(&finding->items[i].item.price_id, &price->price_id)) {
            return true;
        }
    }
    return false;
}

static void
add_after(struct subscription_change_request *request, const char *price_id, int64_t quantity)
{
    if (request->after_count < SUBSCRIPTION_ITEMS_MAX) {
        request->after[request->after_count++] =
            (struct stripe_subscription_line){price_id, quantity};
    }
}

static void
add_what_comes(const struct finding *finding, struct subscription_change_request *request)
{
    const struct offer_price *prices = finding->offer.prices;

    for (size_t i = 0; prices != NULL && i < finding->offer.price_count; i++) {
        if (request->item_count < SUBSCRIPTION_CHANGES_MAX &&
            offer_goes_along(finding->chosen, &prices[i]) && !present(finding, &prices[i])) {
            request->items[request->item_count++] =
                (struct stripe_item_change){.item_id = "", .price_id = prices[i].stripe_price_id};
            add_after(request, prices[i].stripe_price_id, 0);
        }
    }
}

/* The item of the plan becomes another one; what was sold along with it goes, what is sold along
 * with the new one comes. Add-ons stay. */
static void list_items(const struct finding *finding, struct subscription_target *target)
{
    struct subscription_change_request *request = &target->request;
    const bool same_price = id_equal(&finding->row->price_id, &target->price_id);

    for (size_t i = 0; i < finding->item_count; i++) {
        const struct subscription_item_row *item = &finding->items[i];
        struct stripe_item_change change = {.item_id = item->stripe_item_id, .price_id = ""};

        request->before[request->before_count++] =
            (struct stripe_subscription_line){item->stripe_price_id, item->item.quantity};
        if (id_equal(&item->item.price_id, &finding->row->price_id)) {
            change.price_id = same_price ? "" : finding->chosen->stripe_price_id;
            change.quantity = finding->chosen->metered ? 0 : target->quantity;
            add_after(request, finding->chosen->stripe_price_id, change.quantity);
        } else if (
            same_price || item->item.addon || item->item.meter_key[0] == '\0' ||
            goes_along(finding, item) != NULL) {
            add_after(request, item->stripe_price_id, item->item.quantity);
            continue;
        } else {
            change.remove = true;
        }
        request->items[request->item_count++] = change;
    }
    if (!same_price) {
        add_what_comes(finding, request);
    }
    request->plan_id = target->plan_id;
    request->plan_version = target->plan_version;
    request->price_id = target->price_id;
    request->quantity = target->quantity;
}

static struct status
amount_of(struct ctx *cx, const struct price *price, int64_t quantity, struct recurring *ret)
{
    *ret = (struct recurring){
        .interval = price->interval,
        .interval_count = price->interval_count,
    };
    return price_amount(cx, price, quantity, &ret->minor);
}

struct status subscription_target(
    struct ctx *cx,
    struct tx *tx,
    const struct subscription *row,
    const char *account_id,
    const struct subscription_wish *wish,
    struct subscription_target *ret_target)
{
    struct finding finding = {.row = row, .wish = wish};
    struct subscription_target *target = ret_target;

    if (!change_allowed(row->status)) {
        return subscription_refused(cx, row, REASON_SUBSCRIPTION_STATE_INVALID);
    }
    TRY(price_store_load(cx, NULL, tx, &row->price_id, &finding.old_price));
    TRY(load_offer(cx, tx, &finding));
    TRY(choose_price(cx, tx, &finding));
    TRY(subscription_item_store_rows(
        cx, tx, &row->subscription_id, finding.items, &finding.item_count));
    *target = (struct subscription_target){
        .plan_id = finding.offer.plan_id,
        .plan_version = finding.offer.plan_version,
        .price_id = finding.chosen->price_id,
        .quantity = finding.chosen->metered ? 1
                    : wish->quantity != 0   ? wish->quantity
                                            : row->quantity,
        .currency = row->currency,
        .timing = wish->timing,
        .request =
            {
                .account_id = account_id,
                .stripe_subscription_id = row->stripe_subscription_id,
                .proration = wish->proration,
                .by_invoice = row->by_invoice,
            },
    };
    if (id_equal(&target->price_id, &row->price_id) && target->quantity == row->quantity) {
        return subscription_with_id(cx, status_of(cx, REASON_SUBSCRIPTION_UNCHANGED), row);
    }
    TRY(amount_of(cx, &finding.old_price, row->quantity, &target->before));
    TRY(amount_of(cx, &finding.new_price, target->quantity, &target->after));
    if (target->timing == CHANGE_TIMING_BY_DIRECTION) {
        target->timing = change_timing_by_direction(target->before, target->after);
    }
    target->request.timing = target->timing;
    list_items(&finding, target);
    return STATUS_OK;
}
