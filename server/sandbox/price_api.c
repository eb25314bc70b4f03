#include "sandbox/price_api.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/money.h"
#include "base/str.h"
#include "sandbox/account.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/meter.h"
#include "sandbox/param.h"
#include "sandbox/price.h"
#include "sandbox/product.h"
#include "sandbox/sim.h"

static const struct param create_params[] = {
    {"currency", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"product", PARAM_TEXT, 0, NULL},
    {"product_data[name]", PARAM_TEXT, 0, NULL},
    {"product_data[id]", PARAM_TEXT, 0, NULL},
    {"product_data", PARAM_UNSUPPORTED, 0, NULL},
    {"unit_amount", PARAM_INT, 0, NULL},
    {"unit_amount_decimal", PARAM_DECIMAL, 0, NULL},
    {"active", PARAM_BOOL, 0, NULL},
    {"nickname", PARAM_TEXT, 0, NULL},
    {"lookup_key", PARAM_TEXT, 0, NULL},
    {"transfer_lookup_key", PARAM_BOOL, 0, NULL},
    {"tax_behavior", PARAM_ENUM, 0, "exclusive|inclusive|unspecified"},
    {"billing_scheme", PARAM_ENUM, 0, "per_unit|tiered"},
    {"tiers_mode", PARAM_ENUM, 0, "graduated|volume"},
    {"tiers[*][up_to]", PARAM_TEXT, 0, NULL},
    {"tiers[*][unit_amount]", PARAM_INT, 0, NULL},
    {"tiers[*][unit_amount_decimal]", PARAM_DECIMAL, 0, NULL},
    {"tiers[*][flat_amount]", PARAM_INT, 0, NULL},
    {"tiers[*][flat_amount_decimal]", PARAM_DECIMAL, 0, NULL},
    {"recurring[interval]", PARAM_ENUM, 0, "day|week|month|year"},
    {"recurring[interval_count]", PARAM_INT, 0, NULL},
    {"recurring[usage_type]", PARAM_ENUM, 0, "licensed|metered"},
    {"recurring[meter]", PARAM_TEXT, 0, NULL},
    {"transform_quantity[divide_by]", PARAM_INT, 0, NULL},
    {"transform_quantity[round]", PARAM_ENUM, 0, "up|down"},
    {"currency_options", PARAM_UNSUPPORTED, 0, NULL},
    {"custom_unit_amount", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static const struct param update_params[] = {
    {"active", PARAM_BOOL, 0, NULL},
    {"nickname", PARAM_TEXT, PARAM_UNSET, NULL},
    {"lookup_key", PARAM_TEXT, PARAM_UNSET, NULL},
    {"transfer_lookup_key", PARAM_BOOL, 0, NULL},
    {"tax_behavior", PARAM_ENUM, 0, "exclusive|inclusive|unspecified"},
    {"currency_options", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static const struct param list_params[] = {
    {"active", PARAM_BOOL, 0, NULL},
    {"currency", PARAM_TEXT, 0, NULL},
    {"product", PARAM_TEXT, 0, NULL},
    {"type", PARAM_ENUM, 0, "one_time|recurring"},
    {"lookup_keys[*]", PARAM_TEXT, 0, NULL},
    {"recurring[interval]", PARAM_ENUM, 0, "day|week|month|year"},
    {"recurring[usage_type]", PARAM_ENUM, 0, "licensed|metered"},
    {"recurring[meter]", PARAM_TEXT, 0, NULL},
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

static bool check_currency(struct call *call)
{
    const char *currency = call_text(call, "currency");
    char upper[4] = "";

    for (size_t i = 0; i < 3 && currency[i] != '\0'; i++) {
        upper[i] = (char)toupper((unsigned char)currency[i]);
    }
    return (strlen(currency) == 3 && currency_known(upper)) ||
           call_fail(call, 400, NULL, "currency", "Invalid currency: %s.", currency);
}

/* "Up to eight digits". */
#define AMOUNT_MAX ((atoms)99999999 * ATOMS_PER_MINOR)

/* The amount from the whole or the decimal parameter; false when neither is there. The name is
 * split where "_decimal" goes: "tiers[0][unit_amount" and "]". */
static bool read_amount(const struct call *call, const char *name, const char *end, atoms *ret)
{
    const char *text = form_getf(&call->form, "%s%s", name, end);

    if (text == NULL) {
        text = form_getf(&call->form, "%s_decimal%s", name, end);
    }
    return text != NULL && atoms_parse(text, ret);
}

static bool read_tier(struct call *call, size_t i, struct price_tier *tier)
{
    const char *prefix = arena_printf(call->cx->arena, "tiers[%zu]", i);
    const char *up_to = form_getf(&call->form, "%s[up_to]", prefix);
    long long value = 0;

    tier->has_unit = read_amount(
        call, arena_printf(call->cx->arena, "%s[unit_amount", prefix), "]", &tier->unit);
    tier->has_flat = read_amount(
        call, arena_printf(call->cx->arena, "%s[flat_amount", prefix), "]", &tier->flat);
    if (up_to == NULL || (!tier->has_unit && !tier->has_flat)) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            prefix,
            "Each tier needs `up_to` and a `unit_amount` or `flat_amount`.");
    }
    if (tier->unit < 0 || tier->unit > AMOUNT_MAX || tier->flat < 0 || tier->flat > AMOUNT_MAX) {
        return call_fail(
            call, 400, "parameter_invalid_integer", prefix, "Amounts lie between 0 and 99999999.");
    }
    if (strcmp(up_to, "inf") == 0) {
        tier->up_to = UP_TO_INF;
        return true;
    }
    if (!str_to_i64(str_of(up_to), &value) || value <= 0) {
        return call_fail(
            call, 400, "parameter_invalid_integer", prefix, "Invalid integer: %s", up_to);
    }
    tier->up_to = value;
    return true;
}

static bool read_tiers(struct call *call, struct price *price)
{
    const size_t count = form_len(&call->form, "tiers");

    if (count == 0 || count > PRICE_TIERS_MAX || call_text(call, "tiers_mode") == NULL) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            count == 0 ? "tiers" : "tiers_mode",
            "`billing_scheme: tiered` needs 1 to %d `tiers` and a `tiers_mode`.",
            PRICE_TIERS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_tier(call, i, &price->tiers[i])) {
            return false;
        }
        if (i > 0 && price->tiers[i].up_to <= price->tiers[i - 1].up_to) {
            return call_fail(call, 400, NULL, "tiers", "Tiers must be in ascending order.");
        }
    }
    if (price->tiers[count - 1].up_to != UP_TO_INF) {
        return call_fail(call, 400, NULL, "tiers", "The last tier must be `up_to: inf`.");
    }
    price->tier_count = count;
    price->tiered = true;
    price->volume = strcmp(call_text(call, "tiers_mode"), "volume") == 0;
    return true;
}

static bool read_recurring(struct call *call, struct price *price)
{
    const char *unit = call_text(call, "recurring[interval]");
    const char *usage = call_text(call, "recurring[usage_type]");
    static const int64_t longest[] = {
        [UNIT_DAY] = 1095, [UNIT_WEEK] = 156, [UNIT_MONTH] = 36, [UNIT_YEAR] = 3};

    if (!form_has(&call->form, "recurring")) {
        return true;
    }
    if (unit == NULL) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            "recurring[interval]",
            "Missing required param: recurring[interval].");
    }
    calendar_unit_parse(unit, &price->interval.unit);
    price->interval.count = call_i64(call, "recurring[interval_count]", 1);
    if (price->interval.count < 1 || price->interval.count > longest[price->interval.unit]) {
        return call_fail(
            call,
            400,
            NULL,
            "recurring[interval_count]",
            "The interval may be at most three years long.");
    }
    price->recurring = true;
    price->metered = usage != NULL && strcmp(usage, "metered") == 0;
    if (!call_find(call, KIND_METER, "recurring[meter]", &price->meter)) {
        return false;
    }
    if (price->metered != (price->meter != NULL)) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            "recurring[meter]",
            "Metered prices must be backed by a meter, and only they.");
    }
    return true;
}

static bool read_unit(struct call *call, struct price *price)
{
    const char *scheme = call_text(call, "billing_scheme");
    const bool tiered = scheme != NULL && strcmp(scheme, "tiered") == 0;
    const bool has_unit = read_amount(call, "unit_amount", "", &price->unit);

    if (tiered) {
        return has_unit ? call_fail(
                              call,
                              400,
                              NULL,
                              "unit_amount",
                              "You cannot set `unit_amount` with `billing_scheme: tiered`.")
                        : read_tiers(call, price);
    }
    if (!has_unit) {
        return call_fail(
            call, 400, "parameter_missing", "unit_amount", "Missing required param: unit_amount.");
    }
    if (price->unit < 0 || price->unit > AMOUNT_MAX) {
        return call_fail(
            call,
            400,
            "parameter_invalid_integer",
            "unit_amount",
            "Amounts lie between 0 and 99999999.");
    }
    price->divide_by = call_i64(call, "transform_quantity[divide_by]", 0);
    price->round_up = strcmp(
                          call_text(call, "transform_quantity[round]") == NULL
                              ? "down"
                              : call_text(call, "transform_quantity[round]"),
                          "up") == 0;
    return true;
}

/* The older owner of the key loses it when it may, else the key is refused. */
static bool take_lookup_key(struct call *call, struct price *self)
{
    const char *key = call_text(call, "lookup_key");
    const struct object_list *prices = &call->account->lists[KIND_PRICE];

    for (size_t i = 0; key != NULL && key[0] != '\0' && i < prices->count; i++) {
        struct price *other = (struct price *)prices->items[i];

        if (other == self || other->lookup_key == NULL || strcmp(other->lookup_key, key) != 0) {
            continue;
        }
        if (!call_bool(call, "transfer_lookup_key", false)) {
            return call_fail(
                call,
                400,
                NULL,
                "lookup_key",
                "A price (`%s`) already uses that lookup key.",
                other->object.id);
        }
        other->lookup_key = NULL;
    }
    return true;
}

static bool find_product(struct call *call, struct price *price)
{
    const char *name = call_text(call, "product_data[name]");

    if ((call_text(call, "product") == NULL) == (name == NULL)) {
        return call_fail(
            call,
            400,
            "parameter_missing",
            "product",
            "You must pass either `product` or `product_data[name]`.");
    }
    return call_find(call, KIND_PRODUCT, "product", &price->product);
}

static void make_product(struct call *call, struct price *price)
{
    struct product *product = object_new(
        call->sim,
        call->account,
        KIND_PRODUCT,
        sizeof *product,
        call_text(call, "product_data[id]"));

    product->name = sim_text(call->sim, call_text(call, "product_data[name]"));
    product->active = true;
    product->updated_s = call->sim->now_s;
    price->product = product;
    event_emit(call->sim, "product.created", product, NULL);
}

static bool price_create(struct call *call)
{
    static const struct metadata none = {.count = 0};
    struct price *draft = ARENA_NEW(call->cx->arena, struct price);
    struct price *price = NULL;
    struct object header = {.kind = KIND_PRICE};

    draft->active = call_bool(call, "active", true);
    if (!check_currency(call) || !find_product(call, draft) || !read_recurring(call, draft) ||
        !read_unit(call, draft) || !metadata_check(call, &none, "metadata") ||
        !take_lookup_key(call, NULL)) {
        return false;
    }
    if (draft->product == NULL) {
        make_product(call, draft);
    }
    price = object_new(call->sim, call->account, KIND_PRICE, sizeof *price, NULL);
    header = price->object;
    *price = *draft;
    price->object = header;
    call_update_text(call, "currency", &price->currency);
    call_update_text(call, "nickname", &price->nickname);
    call_update_text(call, "lookup_key", &price->lookup_key);
    price->tax_behavior = "unspecified";
    call_update_text(call, "tax_behavior", &price->tax_behavior);
    metadata_update(call, &price->metadata, "metadata");
    event_emit(call->sim, "price.created", price, NULL);
    return call_reply(call, price);
}

static bool price_retrieve(struct call *call)
{
    struct price *price = NULL;

    return call_find_path(call, KIND_PRICE, &price) && call_reply(call, price);
}

static bool price_update(struct call *call)
{
    struct price *price = NULL;
    const char *before = NULL;

    if (!call_find_path(call, KIND_PRICE, &price) ||
        !metadata_check(call, &price->metadata, "metadata") || !take_lookup_key(call, price)) {
        return false;
    }
    before = event_snapshot(call->sim, price);
    price->active = call_bool(call, "active", price->active);
    call_update_text(call, "nickname", &price->nickname);
    call_update_text(call, "lookup_key", &price->lookup_key);
    call_update_text(call, "tax_behavior", &price->tax_behavior);
    metadata_update(call, &price->metadata, "metadata");
    event_emit(call->sim, "price.updated", price, before);
    return call_reply(call, price);
}

/* Inactive prices are hidden unless asked for. */
static bool match(const struct call *call, const struct object *object)
{
    const struct price *price = (const struct price *)object;
    const size_t keys = form_len(&call->form, "lookup_keys");
    bool named = keys == 0;

    for (size_t i = 0; i < keys; i++) {
        const char *key = form_getf(&call->form, "lookup_keys[%zu]", i);

        named = named ||
                (key != NULL && price->lookup_key != NULL && strcmp(key, price->lookup_key) == 0);
    }
    return named && call_bool(call, "active", true) == price->active &&
           list_text_matches(call, "currency", price->currency) &&
           list_ref_matches(call, "product", price->product) &&
           list_text_matches(call, "type", price->recurring ? "recurring" : "one_time") &&
           list_text_matches(
               call, "recurring[interval]", calendar_unit_word(price->interval.unit)) &&
           list_text_matches(
               call, "recurring[usage_type]", price->metered ? "metered" : "licensed") &&
           list_ref_matches(call, "recurring[meter]", price->meter) &&
           list_time_matches(call, "created", object->created_s);
}

static bool price_list(struct call *call)
{
    return list_reply(call, KIND_PRICE, match);
}

const struct endpoint price_api[] = {
    {"POST", "/v1/prices", price_create, create_params, KIND_PRICE, 0},
    {"GET", "/v1/prices", price_list, list_params, KIND_PRICE, ENDPOINT_LIST},
    {"GET", "/v1/prices/{}", price_retrieve, NULL, KIND_PRICE, 0},
    {"POST", "/v1/prices/{}", price_update, update_params, KIND_PRICE, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
