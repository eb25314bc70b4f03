#include "handlers/price_pb.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "handlers/catalog_pb.h"
#include "handlers/pb.h"

static Billingos__V1__Money *amount_pb(struct ctx *cx, int64_t minor, const char *currency)
{
    struct money money = {.minor = minor};

    memcpy(money.currency, currency, strnlen(currency, sizeof money.currency - 1));
    return pb_money(cx, money);
}

static Billingos__V1__PriceTier *
tier_pb(struct ctx *cx, const struct price_tier *tier, const char *currency)
{
    Billingos__V1__PriceTier *message =
        PB_NEW(cx, Billingos__V1__PriceTier, billingos__v1__price_tier__init);

    if (tier->up_to == 0) {
        message->upper_end_case = BILLINGOS__V1__PRICE_TIER__UPPER_END_UNBOUNDED;
        message->unbounded = true;
    } else {
        message->upper_end_case = BILLINGOS__V1__PRICE_TIER__UPPER_END_UP_TO;
        message->up_to = tier->up_to;
    }
    if (tier->unit.decimal[0] == '\0') {
        message->unit_price = amount_pb(cx, tier->unit.minor, currency);
    }
    message->unit_price_decimal = pb_text(tier->unit.decimal);
    message->flat_fee = tier->flat_minor == 0 ? NULL : amount_pb(cx, tier->flat_minor, currency);
    return message;
}

static void tiers_pb(struct ctx *cx, const struct price *price, Billingos__V1__Price *message)
{
    Billingos__V1__PriceTier **tiers =
        arena_alloc(cx->arena, (price->tier_count + 1) * sizeof(Billingos__V1__PriceTier *));

    message->n_tiers = price->tier_count;
    message->tiers = tiers;
    for (size_t i = 0; i < price->tier_count; i++) {
        tiers[i] = tier_pb(cx, &price->tiers[i], price->currency);
    }
}

Billingos__V1__Price *price_pb(struct ctx *cx, const struct price *price)
{
    Billingos__V1__Price *message = PB_NEW(cx, Billingos__V1__Price, billingos__v1__price__init);

    message->price_id = pb_id(cx, ID_PRICE, &price->price_id);
    message->price_key = pb_text(price->key);
    message->plan_id = pb_id(cx, ID_PLAN, &price->plan_id);
    message->plan_version = price->plan_version;
    message->name = pb_text(price->name);
    message->model = (Billingos__V1__PriceModel)price->model;
    message->currency_code = pb_text(price->currency);
    message->interval = (Billingos__V1__BillingInterval)price->interval;
    message->interval_count = price->interval_count;
    message->meter_key = pb_text(price->meter_key);
    if (price->has_unit && price->unit.decimal[0] == '\0') {
        message->unit_price = amount_pb(cx, price->unit.minor, price->currency);
    }
    message->unit_price_decimal = pb_text(price->unit.decimal);
    tiers_pb(cx, price, message);
    message->package_size = price->package_size;
    message->quantity_min = price->quantity_min;
    message->quantity_max = price->quantity_max;
    message->tax_behavior = (Billingos__V1__TaxBehavior)price->tax;
    message->state = catalog_pb_state(price->archived_us);
    message->metadata = pb_map(
        cx,
        price->metadata,
        &billingos__v1__price__metadata_entry__descriptor,
        &message->n_metadata);
    message->etag = catalog_pb_etag(cx, price->version);
    message->create_time = pb_time(cx, price->created_us);
    message->update_time = pb_time(cx, price->updated_us);
    return message;
}

/* An amount in a price: its currency is that of the price, or is left out. All that are given must
 * be the same one. */
static struct status read_amount(
    struct ctx *cx,
    const char *field,
    const Billingos__V1__Money *money,
    const char **currency,
    int64_t *ret_minor)
{
    *ret_minor = 0;
    if (money == NULL) {
        return STATUS_OK;
    }
    *ret_minor = money->minor_units;
    if (money->currency_code[0] == '\0') {
        return STATUS_OK;
    }
    if ((*currency)[0] != '\0' && strcmp(*currency, money->currency_code) != 0) {
        return status_pair(
            cx,
            status_pair(
                cx,
                status_fail(
                    cx, REASON_CURRENCY_MISMATCH, "%s is in another currency than the rest", field),
                "currency_code",
                arena_printf(cx->arena, "%.8s", money->currency_code)),
            "expected_currency_code",
            arena_printf(cx->arena, "%.8s", *currency));
    }
    *currency = money->currency_code;
    return STATUS_OK;
}

static struct status read_unit(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__Money *money,
    const char *decimal,
    const char **currency,
    struct unit_price *ret_unit)
{
    *ret_unit = (struct unit_price){0, decimal};
    if (money != NULL && decimal[0] != '\0') {
        return status_field(
            cx,
            field_path(cx, path, "unit_price_decimal"),
            "stands instead of unit_price, not beside it");
    }
    return read_amount(cx, field_path(cx, path, "unit_price"), money, currency, &ret_unit->minor);
}

static struct status read_tier_end(
    struct ctx *cx, const char *path, const Billingos__V1__PriceTier *message, int64_t *ret_up_to)
{
    if (message->upper_end_case == BILLINGOS__V1__PRICE_TIER__UPPER_END_UP_TO) {
        *ret_up_to = message->up_to;
        return field_check_range(cx, field_path(cx, path, "up_to"), message->up_to, 1, INT64_MAX);
    }
    *ret_up_to = 0;
    if (message->upper_end_case == BILLINGOS__V1__PRICE_TIER__UPPER_END_UNBOUNDED &&
        message->unbounded) {
        return STATUS_OK;
    }
    return status_field(
        cx, field_path(cx, path, "up_to"), "up_to, or unbounded as true, is required");
}

static struct status read_tiers(
    struct ctx *cx, const char *path, const Billingos__V1__Price *message, struct price *price)
{
    struct price_tier *tiers = NULL;

    if (message->n_tiers > PRICE_TIERS_MAX) {
        return status_field(
            cx,
            field_path(cx, path, "tiers"),
            "has %zu entries, at most %d are allowed",
            message->n_tiers,
            PRICE_TIERS_MAX);
    }
    tiers = arena_alloc(cx->arena, (message->n_tiers + 1) * sizeof *tiers);
    for (size_t i = 0; i < message->n_tiers; i++) {
        const Billingos__V1__PriceTier *tier = message->tiers[i];
        const char *item = field_item(cx, field_path(cx, path, "tiers"), i);

        TRY(read_tier_end(cx, item, tier, &tiers[i].up_to));
        TRY(read_unit(
            cx,
            item,
            tier->unit_price,
            tier->unit_price_decimal,
            &price->amount_currency,
            &tiers[i].unit));
        TRY(read_amount(
            cx,
            field_path(cx, item, "flat_fee"),
            tier->flat_fee,
            &price->amount_currency,
            &tiers[i].flat_minor));
    }
    price->tiers = tiers;
    price->tier_count = message->n_tiers;
    return STATUS_OK;
}

static struct status read_enums(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__Price *message,
    bool whole,
    struct price *price)
{
    struct status result = STATUS_OK;
    const int least = whole ? 1 : 0;

    if ((int)message->model < least || (int)message->model > PRICE_PACKAGE) {
        field_note(
            cx,
            &result,
            status_field(
                cx,
                field_path(cx, path, "model"),
                "must be one of FLAT, PER_UNIT, GRADUATED, VOLUME and PACKAGE"));
    }
    if ((int)message->interval < least || (int)message->interval > INTERVAL_YEAR) {
        field_note(
            cx,
            &result,
            status_field(
                cx, field_path(cx, path, "interval"), "must be one of DAY, WEEK, MONTH and YEAR"));
    }
    if ((int)message->tax_behavior < TAX_UNSPECIFIED ||
        (int)message->tax_behavior > TAX_INCLUSIVE) {
        field_note(
            cx,
            &result,
            status_field(
                cx, field_path(cx, path, "tax_behavior"), "must be EXCLUSIVE or INCLUSIVE"));
    }
    TRY(result);
    price->model = message->model == 0 ? PRICE_FLAT : (enum price_model)message->model;
    price->interval =
        message->interval == 0 ? INTERVAL_MONTH : (enum billing_interval)message->interval;
    price->tax = (enum tax_behavior)message->tax_behavior;
    return STATUS_OK;
}

struct status price_pb_read(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__Price *message,
    bool whole,
    struct price *ret_price)
{
    if (message == NULL) {
        return status_field(cx, path, "is required");
    }
    *ret_price = (struct price){
        .key = message->price_key,
        .name = message->name,
        .currency = message->currency_code,
        .amount_currency = "",
        .interval_count = message->interval_count == 0 ? 1 : message->interval_count,
        .meter_key = message->meter_key,
        .has_unit = message->unit_price != NULL || message->unit_price_decimal[0] != '\0',
        .package_size = message->package_size,
        .quantity_min = message->quantity_min == 0 ? 1 : message->quantity_min,
        .quantity_max = message->quantity_max,
        .stripe_price_id = "",
    };
    TRY(read_enums(cx, path, message, whole, ret_price));
    TRY(read_unit(
        cx,
        path,
        message->unit_price,
        message->unit_price_decimal,
        &ret_price->amount_currency,
        &ret_price->unit));
    TRY(read_tiers(cx, path, message, ret_price));
    return pb_read_map(
        cx,
        field_path(cx, path, "metadata"),
        message->n_metadata,
        message->metadata,
        &ret_price->metadata);
}
