#include "services/offer_choice.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"

static const char *plan_text(struct ctx *cx, const struct offer *offer)
{
    return id_text(cx->arena, ID_PLAN, &offer->plan_id);
}

static struct status plan_failure(struct ctx *cx, enum reason reason, const struct offer *offer)
{
    struct status status = status_pair(cx, status_of(cx, reason), "plan_id", plan_text(cx, offer));

    return status_pair(
        cx, status, "version", arena_printf(cx->arena, "%" PRId32, offer->plan_version));
}

static struct status price_failure(struct ctx *cx, enum reason reason, const struct id *price_id)
{
    return status_pair(
        cx, status_of(cx, reason), "price_id", id_text(cx->arena, ID_PRICE, price_id));
}

static const struct offer_price *find_named(const struct offer *offer, const struct id *price_id)
{
    for (size_t i = 0; i < offer->price_count; i++) {
        if (id_equal(&offer->prices[i].price_id, price_id)) {
            return &offer->prices[i];
        }
    }
    return NULL;
}

/* How many fit; the last of them. With licensed prices beside them, metered ones only go along. */
static size_t count_fitting(
    const struct offer *offer,
    const struct offer_wish *wish,
    const char *currency,
    bool metered,
    const struct offer_price **ret_price)
{
    size_t count = 0;

    for (size_t i = 0; i < offer->price_count; i++) {
        const struct offer_price *price = &offer->prices[i];

        if (!price->archived && price->metered == metered &&
            (wish->interval == 0 || price->interval == wish->interval) &&
            (currency[0] == '\0' || strcmp(price->currency, currency) == 0)) {
            *ret_price = price;
            count++;
        }
    }
    return count;
}

static struct status ambiguous(struct ctx *cx, const struct offer *offer)
{
    const char *ids = "";

    for (size_t i = 0; i < offer->price_count && i < 20; i++) {
        if (!offer->prices[i].archived && !offer->prices[i].metered) {
            ids = arena_printf(
                cx->arena,
                "%s%s%s",
                ids,
                ids[0] == '\0' ? "" : ",",
                id_text(cx->arena, ID_PRICE, &offer->prices[i].price_id));
        }
    }
    return status_pair(
        cx,
        status_pair(cx, status_of(cx, REASON_PRICE_AMBIGUOUS), "plan_id", plan_text(cx, offer)),
        "price_ids",
        ids);
}

static struct status find_fitting(
    struct ctx *cx,
    const struct offer *offer,
    const struct offer_wish *wish,
    const struct offer_price **ret_price)
{
    static const struct offer_wish anything = {.currency = ""};
    const char *const preferred[] = {wish->customer_currency, offer->default_currency};
    const bool metered = count_fitting(offer, &anything, "", false, ret_price) == 0;
    size_t count = count_fitting(offer, wish, wish->currency, metered, ret_price);

    for (size_t i = 0; i < ARRAY_LEN(preferred) && count > 1; i++) {
        const struct offer_price *price = NULL;

        if (wish->currency[0] == '\0' && preferred[i][0] != '\0' &&
            count_fitting(offer, wish, preferred[i], metered, &price) > 0) {
            count = count_fitting(offer, wish, preferred[i], metered, ret_price);
            break;
        }
    }
    if (count == 0) {
        return plan_failure(cx, REASON_PLAN_HAS_NO_PRICE, offer);
    }
    return count == 1 ? STATUS_OK : ambiguous(cx, offer);
}

struct status offer_choose(
    struct ctx *cx,
    const struct offer *offer,
    const struct offer_wish *wish,
    const struct offer_price **ret_price)
{
    const struct offer_price *price = find_named(offer, &wish->price_id);

    if (id_is_zero(&wish->price_id)) {
        TRY(find_fitting(cx, offer, wish, &price));
    }
    if (price == NULL) {
        return price_failure(cx, REASON_PRICE_NOT_FOUND, &wish->price_id);
    }
    if (price->archived) {
        return price_failure(cx, REASON_PRICE_ARCHIVED, &wish->price_id);
    }
    if (!price->metered && wish->quantity < price->quantity_min) {
        return status_field(
            cx, "quantity", "is less than the %" PRId64 " of the price", price->quantity_min);
    }
    if (!price->metered && price->quantity_max > 0 && wish->quantity > price->quantity_max) {
        return status_field(
            cx, "quantity", "is more than the %" PRId64 " of the price", price->quantity_max);
    }
    *ret_price = price;
    return STATUS_OK;
}

struct status
offer_check_mirrored(struct ctx *cx, const struct offer *offer, const struct offer_price *price)
{
    return price->stripe_price_id[0] == '\0' ? plan_failure(cx, REASON_PLAN_NOT_PUBLISHED, offer)
                                             : STATUS_OK;
}

bool offer_goes_along(const struct offer_price *chosen, const struct offer_price *price)
{
    return price != chosen && price->metered && !chosen->metered && !price->archived &&
           price->stripe_price_id[0] != '\0' && price->interval == chosen->interval &&
           price->interval_count == chosen->interval_count &&
           strcmp(price->currency, chosen->currency) == 0;
}
