#include "stripe/stripe_customer.h"

#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024)

void stripe_customer_read(struct ctx *cx, json_value object, struct payment_customer *ret_customer)
{
    const char *currency = stripe_value_currency(cx, object, "currency");

    *ret_customer = (struct payment_customer){
        .id = json_text(cx, object, "id"),
        .email = json_text(cx, object, "email"),
        .name = json_text(cx, object, "name"),
        .phone = json_text(cx, object, "phone"),
        .description = json_text(cx, object, "description"),
        .currency = currency,
        .default_payment_method =
            stripe_value_reference(cx, object, "invoice_settings.default_payment_method"),
        .test_clock = stripe_value_reference(cx, object, "test_clock"),
        .balance_minor = stripe_value_minor(object, "balance", currency),
        .created_us = stripe_value_time(object, "created"),
        .delinquent = json_bool(object, "delinquent"),
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
    struct payment_customer *ret_customer)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    stripe_customer_read(cx, json_root(json), ret_customer);
    ret_customer->raw = raw;
    return STATUS_OK;
}

struct status stripe_customer_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_customer_params *params,
    const char *idempotency_key,
    struct payment_customer *ret_customer)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    const struct stripe_call call = {
        .endpoint = "customers.create",
        .verb = STRIPE_POST,
        .path = "/v1/customers",
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "customer",
    };

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "email", params->email);
    stripe_form_text(&form, "name", params->name);
    stripe_form_text(&form, "phone", params->phone);
    stripe_form_text(&form, "description", params->description);
    stripe_form_text(&form, "payment_method", params->payment_method);
    stripe_form_open(&form, "invoice_settings");
    stripe_form_text(&form, "default_payment_method", params->payment_method);
    stripe_form_close(&form);
    stripe_form_text(&form, "test_clock", params->test_clock);
    stripe_value_put_marks(&form, &params->marks);
    return read_call(cx, client, &call, ret_customer);
}

struct status stripe_customer_update(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    const struct stripe_customer_params *params,
    const char *idempotency_key,
    struct payment_customer *ret_customer)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct stripe_call call = {
        .endpoint = "customers.update",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "customer",
    };

    TRY(stripe_value_path(cx, "/v1/customers/", customer_id, "", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text_or_unset(&form, "email", params->email);
    stripe_form_text_or_unset(&form, "name", params->name);
    stripe_form_text_or_unset(&form, "phone", params->phone);
    stripe_form_text_or_unset(&form, "description", params->description);
    stripe_value_put_marks(&form, &params->marks);
    return read_call(cx, client, &call, ret_customer);
}

struct status stripe_customer_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    struct payment_customer *ret_customer)
{
    struct stripe_call call = {
        .endpoint = "customers.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "customer",
    };

    TRY(stripe_value_path(cx, "/v1/customers/", customer_id, "", &call.path));
    return read_call(cx, client, &call, ret_customer);
}
