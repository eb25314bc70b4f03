#include "stripe/stripe_product.h"

#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024)

void stripe_product_read(struct ctx *cx, json_value object, struct payment_product *ret_product)
{
    *ret_product = (struct payment_product){
        .id = json_text(cx, object, "id"),
        .name = json_text(cx, object, "name"),
        .description = json_text(cx, object, "description"),
        .unit_label = json_text(cx, object, "unit_label"),
        .default_price_id = stripe_value_reference(cx, object, "default_price"),
        .created_us = stripe_value_time(object, "created"),
        .active = json_bool(object, "active"),
        .deleted = json_bool(object, "deleted"),
        .live = json_bool(object, "livemode"),
        .marks = stripe_value_marks(cx, object, "metadata"),
        .raw = "",
    };
}

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_product *ret_product)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    stripe_product_read(cx, json_root(json), ret_product);
    ret_product->raw = raw;
    return STATUS_OK;
}

struct status stripe_product_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_product_params *params,
    const char *idempotency_key,
    struct payment_product *ret_product)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    const struct stripe_call call = {
        .endpoint = "products.create",
        .verb = STRIPE_POST,
        .path = "/v1/products",
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "product",
    };

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "name", params->name);
    stripe_form_text(&form, "description", params->description);
    stripe_form_text(&form, "unit_label", params->unit_label);
    stripe_value_put_marks(&form, &params->marks);
    return read_call(cx, client, &call, ret_product);
}

struct status stripe_product_update(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *product_id,
    const struct stripe_product_params *params,
    const char *idempotency_key,
    struct payment_product *ret_product)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct stripe_call call = {
        .endpoint = "products.update",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "product",
    };

    TRY(stripe_value_path(cx, "/v1/products/", product_id, "", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "name", params->name);
    stripe_form_text_or_unset(&form, "description", params->description);
    stripe_form_text_or_unset(&form, "unit_label", params->unit_label);
    stripe_form_bool(&form, "active", params->active);
    stripe_value_put_marks(&form, &params->marks);
    return read_call(cx, client, &call, ret_product);
}

struct status stripe_product_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *product_id,
    struct payment_product *ret_product)
{
    struct stripe_call call = {
        .endpoint = "products.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "product",
    };

    TRY(stripe_value_path(cx, "/v1/products/", product_id, "", &call.path));
    return read_call(cx, client, &call, ret_product);
}
