#include "stripe/stripe_payment_method.h"

#include "base/arena.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)4 * 1024)

static const char *of_type(struct ctx *cx, json_value object, const char *type, const char *member)
{
    return json_text(cx, object, arena_printf(cx->arena, "%s.%s", type, member));
}

static struct payment_instrument read_instrument(struct ctx *cx, json_value object)
{
    const char *type = json_text(cx, object, "type");

    return (struct payment_instrument){
        .id = json_text(cx, object, "id"),
        .customer_id = stripe_value_reference(cx, object, "customer"),
        .type_text = type,
        .brand = of_type(cx, object, type, "brand"),
        .last4 = of_type(cx, object, type, "last4"),
        .expire_month = json_i64(object, "card.exp_month"),
        .expire_year = json_i64(object, "card.exp_year"),
        .created_us = stripe_value_time(object, "created"),
        .live = json_bool(object, "livemode"),
    };
}

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_instrument *ret_instrument)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    *ret_instrument = read_instrument(cx, json_root(json));
    return STATUS_OK;
}

struct status stripe_payment_method_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_method_id,
    struct payment_instrument *ret_instrument)
{
    struct stripe_call call = {
        .endpoint = "payment_methods.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "payment_method",
    };

    TRY(stripe_value_path(cx, "/v1/payment_methods/", payment_method_id, "", &call.path));
    return read_call(cx, client, &call, ret_instrument);
}

struct status stripe_payment_method_detach(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_method_id,
    const char *idempotency_key,
    struct payment_instrument *ret_instrument)
{
    AUTO_BUF body = {0};
    struct stripe_call call = {
        .endpoint = "payment_methods.detach",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "payment_method",
    };

    TRY(stripe_value_path(cx, "/v1/payment_methods/", payment_method_id, "/detach", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    return read_call(cx, client, &call, ret_instrument);
}

struct status stripe_payment_method_attach(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_method_id,
    const char *customer_id,
    const char *idempotency_key,
    struct payment_instrument *ret_instrument)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct stripe_call call = {
        .endpoint = "payment_methods.attach",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "payment_method",
    };

    TRY(stripe_value_path(cx, "/v1/payment_methods/", payment_method_id, "/attach", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "customer", customer_id);
    return read_call(cx, client, &call, ret_instrument);
}
