#include "sandbox/price.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/meter.h"
#include "sandbox/product.h"
#include "sandbox/render.h"

bool atoms_parse(const char *text, atoms *ret)
{
    const bool negative = *text == '-';
    atoms value = 0;
    int places = 0;

    text += negative;
    if (!isdigit((unsigned char)*text) || strlen(text) > 32) {
        return false;
    }
    for (; isdigit((unsigned char)*text); text++) {
        value = value * 10 + (*text - '0');
    }
    if (*text == '.') {
        for (text++; isdigit((unsigned char)*text); text++, places++) {
            value = value * 10 + (*text - '0');
        }
    }
    if (*text != '\0' || places > 12) {
        return false;
    }
    for (; places < 12; places++) {
        value *= 10;
    }
    *ret = negative ? -value : value;
    return true;
}

int64_t atoms_round(atoms value)
{
    const atoms half = ATOMS_PER_MINOR / 2;

    return (int64_t)((value < 0 ? value - half : value + half) / ATOMS_PER_MINOR);
}

void atoms_format(atoms value, char ret_text[48])
{
    const bool negative = value < 0;
    const atoms positive = negative ? -value : value;
    const long long whole = (long long)(positive / ATOMS_PER_MINOR);
    const long long part = (long long)(positive % ATOMS_PER_MINOR);
    int len = snprintf(ret_text, 48, "%s%lld", negative ? "-" : "", whole);

    if (part != 0) {
        len += snprintf(ret_text + len, 48 - (size_t)len, ".%012lld", part);
        while (ret_text[len - 1] == '0') {
            ret_text[--len] = '\0';
        }
    }
}

static atoms volume_amount(const struct price *price, int64_t quantity)
{
    const struct price_tier *tier = &price->tiers[0];

    while (tier->up_to < quantity && tier + 1 < price->tiers + price->tier_count) {
        tier++;
    }
    return quantity * tier->unit + tier->flat;
}

static atoms graduated_amount(const struct price *price, int64_t quantity)
{
    int64_t counted = 0;
    atoms sum = 0;

    for (size_t i = 0; i < price->tier_count && (i == 0 || counted < quantity); i++) {
        const struct price_tier *tier = &price->tiers[i];
        const int64_t end = tier->up_to < quantity ? tier->up_to : quantity;

        sum += (end - counted) * tier->unit + tier->flat;
        counted = end;
    }
    return sum;
}

int64_t price_amount(const struct price *price, int64_t quantity)
{
    if (price->tiered) {
        return atoms_round(
            price->volume ? volume_amount(price, quantity) : graduated_amount(price, quantity));
    }
    if (price->divide_by > 1) {
        quantity = (quantity + (price->round_up ? price->divide_by - 1 : 0)) / price->divide_by;
    }
    return atoms_round(quantity * price->unit);
}

/* The amount as a whole number, null when it has decimals, beside the exact one. */
static void put_amount(struct render *render, const char *name, bool present, atoms value)
{
    struct json_writer *w = &render->writer;
    char decimal_name[48];
    char text[48];

    snprintf(decimal_name, sizeof decimal_name, "%s_decimal", name);
    if (!present) {
        json_put_null(w, name);
        json_put_null(w, decimal_name);
        return;
    }
    if (value % ATOMS_PER_MINOR == 0) {
        json_put_i64(w, name, (int64_t)(value / ATOMS_PER_MINOR));
    } else {
        json_put_null(w, name);
    }
    atoms_format(value, text);
    json_put_text(w, decimal_name, text);
}

static void render_tiers(struct render *render, const struct price *price)
{
    struct json_writer *w = &render->writer;

    json_open_array(w, "tiers");
    for (size_t i = 0; i < price->tier_count; i++) {
        const struct price_tier *tier = &price->tiers[i];

        json_open_object(w, NULL);
        put_amount(render, "flat_amount", tier->has_flat, tier->flat);
        put_amount(render, "unit_amount", tier->has_unit, tier->unit);
        if (tier->up_to == UP_TO_INF) {
            json_put_null(w, "up_to");
        } else {
            json_put_i64(w, "up_to", tier->up_to);
        }
        json_close_object(w);
    }
    json_close_array(w);
}

static void render_transform(struct render *render, const char *name, const struct price *price)
{
    struct json_writer *w = &render->writer;

    if (price->divide_by == 0) {
        json_put_null(w, name);
        return;
    }
    json_open_object(w, name);
    json_put_i64(w, "divide_by", price->divide_by);
    json_put_text(w, "round", price->round_up ? "up" : "down");
    json_close_object(w);
}

static void put_tiers_mode(struct render *render, const struct price *price)
{
    const char *mode = price->volume ? "volume" : "graduated";

    json_put_text(&render->writer, "tiers_mode", price->tiered ? mode : NULL);
}

void price_render(struct render *render, const struct object *object)
{
    const struct price *price = (const struct price *)object;
    struct json_writer *w = &render->writer;

    json_put_bool(w, "active", price->active);
    json_put_text(w, "billing_scheme", price->tiered ? "tiered" : "per_unit");
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", price->currency);
    render_nulls(render, "custom_unit_amount");
    json_put_bool(w, "livemode", false);
    json_put_text(w, "lookup_key", price->lookup_key);
    metadata_render(render, "metadata", &price->metadata);
    json_put_text(w, "nickname", price->nickname);
    render_ref(render, "product", price->product);
    if (price->recurring) {
        json_open_object(w, "recurring");
        json_put_text(w, "interval", calendar_unit_word(price->interval.unit));
        json_put_i64(w, "interval_count", price->interval.count);
        json_put_text(w, "meter", price->meter == NULL ? NULL : price->meter->object.id);
        render_nulls(render, "trial_period_days");
        json_put_text(w, "usage_type", price->metered ? "metered" : "licensed");
        json_close_object(w);
    } else {
        json_put_null(w, "recurring");
    }
    json_put_text(w, "tax_behavior", price->tax_behavior);
    if (price->tiered && render_wants(render, "tiers")) {
        render_tiers(render, price);
    }
    put_tiers_mode(render, price);
    render_transform(render, "transform_quantity", price);
    json_put_text(w, "type", price->recurring ? "recurring" : "one_time");
    put_amount(render, "unit_amount", !price->tiered, price->unit);
}

void price_render_plan(struct render *render, const struct price *price)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "plan");
    json_put_text(w, "id", price->object.id);
    json_put_text(w, "object", "plan");
    json_put_bool(w, "active", price->active);
    put_amount(render, "amount", !price->tiered, price->unit);
    json_put_text(w, "billing_scheme", price->tiered ? "tiered" : "per_unit");
    json_put_i64(w, "created", price->object.created_s);
    json_put_text(w, "currency", price->currency);
    json_put_text(w, "interval", calendar_unit_word(price->interval.unit));
    json_put_i64(w, "interval_count", price->interval.count);
    json_put_bool(w, "livemode", false);
    metadata_render(render, "metadata", &price->metadata);
    json_put_text(w, "meter", price->meter == NULL ? NULL : price->meter->object.id);
    json_put_text(w, "nickname", price->nickname);
    json_put_text(w, "product", price->product->object.id);
    put_tiers_mode(render, price);
    render_transform(render, "transform_usage", price);
    render_nulls(render, "trial_period_days");
    json_put_text(w, "usage_type", price->metered ? "metered" : "licensed");
    json_close_object(w);
}
