#include "stripe/stripe_price.h"

#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)32 * 1024) /* 100 tiers */

void stripe_price_read(struct ctx *cx, json_value object, struct payment_price *ret_price)
{
    const char *currency = stripe_value_currency(cx, object, "currency");

    *ret_price = (struct payment_price){
        .id = json_text(cx, object, "id"),
        .product_id = stripe_value_reference(cx, object, "product"),
        .currency = currency,
        .billing_scheme = json_text(cx, object, "billing_scheme"),
        .tiers_mode = json_text(cx, object, "tiers_mode"),
        .unit_minor = stripe_value_minor(object, "unit_amount", currency),
        .unit_decimal = json_text(cx, object, "unit_amount_decimal"),
        .interval = json_text(cx, object, "recurring.interval"),
        .interval_count = json_i64(object, "recurring.interval_count"),
        .usage_type = json_text(cx, object, "recurring.usage_type"),
        .meter_id = json_text(cx, object, "recurring.meter"),
        .package_size = json_i64(object, "transform_quantity.divide_by"),
        .lookup_key = json_text(cx, object, "lookup_key"),
        .tax_behavior = json_text(cx, object, "tax_behavior"),
        .created_us = stripe_value_time(object, "created"),
        .active = json_bool(object, "active"),
        .live = json_bool(object, "livemode"),
        .marks = stripe_value_marks(cx, object, "metadata"),
        .raw = "",
    };
}

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_price *ret_price)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    stripe_price_read(cx, json_root(json), ret_price);
    ret_price->raw = raw;
    return STATUS_OK;
}

static struct status put_unit(
    struct ctx *cx, struct stripe_form *form, const struct unit_price *unit, const char *currency)
{
    if (unit->decimal[0] != '\0') {
        stripe_value_put_decimal(cx, form, "unit_amount_decimal", unit->decimal, currency);
        return STATUS_OK;
    }
    return stripe_value_put_minor(cx, form, "unit_amount", unit->minor, currency);
}

static struct status put_tier(
    struct ctx *cx, struct stripe_form *form, const struct price_tier *tier, const char *currency)
{
    if (tier->up_to == 0) {
        stripe_form_text(form, "up_to", "inf");
    } else {
        stripe_form_i64(form, "up_to", tier->up_to);
    }
    TRY(put_unit(cx, form, &tier->unit, currency));
    if (tier->flat_minor == 0) {
        return STATUS_OK;
    }
    return stripe_value_put_minor(cx, form, "flat_amount", tier->flat_minor, currency);
}

static struct status
put_tiers(struct ctx *cx, struct stripe_form *form, const struct price *price, const char *mode)
{
    stripe_form_text(form, "billing_scheme", "tiered");
    stripe_form_text(form, "tiers_mode", mode);
    stripe_form_open_array(form, "tiers");
    for (size_t i = 0; i < price->tier_count; i++) {
        stripe_form_open_element(form);
        TRY(put_tier(cx, form, &price->tiers[i], price->currency));
        stripe_form_close(form);
    }
    stripe_form_close(form);
    return STATUS_OK;
}

static struct status
put_amounts(struct ctx *cx, struct stripe_form *form, const struct price *price)
{
    switch (price->model) {
    case PRICE_FLAT:
    case PRICE_PER_UNIT:
        return put_unit(cx, form, &price->unit, price->currency);
    case PRICE_GRADUATED:
        return put_tiers(cx, form, price, "graduated");
    case PRICE_VOLUME:
        return put_tiers(cx, form, price, "volume");
    case PRICE_PACKAGE:
        stripe_form_open(form, "transform_quantity");
        stripe_form_i64(form, "divide_by", price->package_size);
        stripe_form_text(form, "round", "up");
        stripe_form_close(form);
        return put_unit(cx, form, &price->unit, price->currency);
    }
    return status_of(cx, REASON_INTERNAL);
}

static const char *interval_word(enum billing_interval interval)
{
    switch (interval) {
    case INTERVAL_DAY:
        return "day";
    case INTERVAL_WEEK:
        return "week";
    case INTERVAL_MONTH:
        return "month";
    case INTERVAL_YEAR:
        return "year";
    }
    return "";
}

static const char *tax_word(enum tax_behavior tax)
{
    switch (tax) {
    case TAX_UNSPECIFIED:
        return "";
    case TAX_EXCLUSIVE:
        return "exclusive";
    case TAX_INCLUSIVE:
        return "inclusive";
    }
    return "";
}

static struct status
put_price(struct ctx *cx, struct stripe_form *form, const struct stripe_price_params *params)
{
    const struct price *price = params->price;
    const bool metered = params->meter_id != NULL && params->meter_id[0] != '\0';

    stripe_value_put_currency(cx, form, price->currency);
    stripe_form_text(form, "product", params->product_id);
    stripe_form_text(form, "nickname", price->name);
    stripe_form_text(form, "tax_behavior", tax_word(price->tax));
    stripe_form_open(form, "recurring");
    stripe_form_text(form, "interval", interval_word(price->interval));
    stripe_form_i64(form, "interval_count", price->interval_count);
    if (metered) {
        stripe_form_text(form, "usage_type", "metered");
        stripe_form_text(form, "meter", params->meter_id);
    }
    stripe_form_close(form);
    TRY(put_amounts(cx, form, price));
    stripe_value_put_marks(form, &params->marks);
    return STATUS_OK;
}

struct status stripe_price_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_price_params *params,
    const char *idempotency_key,
    struct payment_price *ret_price)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    const struct stripe_call call = {
        .endpoint = "prices.create",
        .verb = STRIPE_POST,
        .path = "/v1/prices",
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "price",
    };

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    TRY(put_price(cx, &form, params));
    return read_call(cx, client, &call, ret_price);
}

struct status stripe_price_activate(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *price_id,
    bool active,
    const char *idempotency_key,
    struct payment_price *ret_price)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct stripe_call call = {
        .endpoint = "prices.update",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "price",
    };

    TRY(stripe_value_path(cx, "/v1/prices/", price_id, "", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_bool(&form, "active", active);
    return read_call(cx, client, &call, ret_price);
}

struct status stripe_price_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *price_id,
    struct payment_price *ret_price)
{
    struct stripe_call call = {
        .endpoint = "prices.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "price",
    };

    TRY(stripe_value_path(cx, "/v1/prices/", price_id, "", &call.path));
    return read_call(cx, client, &call, ret_price);
}
