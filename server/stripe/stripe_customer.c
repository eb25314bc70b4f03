#include "stripe/stripe_customer.h"

#include <string.h>

#include "base/arena.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024)
#define ADDRESS_BYTES_MAX ((size_t)16 * 1024)

/* The same places in our words. */
static const char *read_address(struct ctx *cx, json_value address)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } lines[] = {
        {"line1", "line1"},
        {"line2", "line2"},
        {"city", "city"},
        {"state", "region"},
        {"postal_code", "postal_code"},
        {"country", "country_code"},
    };
    AUTO_BUF buf;
    struct json_writer w;
    bool empty = true;

    buf_init(&buf, ADDRESS_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        const char *text = json_text(cx, address, lines[i].theirs);

        if (text[0] != '\0') {
            empty = false;
            json_put_text(&w, lines[i].ours, text);
        }
    }
    json_close_object(&w);
    return empty || buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf));
}

void stripe_customer_read(struct ctx *cx, json_value object, struct payment_customer *ret_customer)
{
    const char *currency = stripe_value_currency(cx, object, "currency");

    *ret_customer = (struct payment_customer){
        .id = json_text(cx, object, "id"),
        .email = json_text(cx, object, "email"),
        .name = json_text(cx, object, "name"),
        .phone = json_text(cx, object, "phone"),
        .address = read_address(cx, json_get(object, "address")),
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

struct status
stripe_customer_parse(struct ctx *cx, const char *raw, struct payment_customer *ret_customer)
{
    AUTO_JSON *json = NULL;

    TRY(json_parse(cx, raw, strlen(raw), &json));
    stripe_customer_read(cx, json_root(json), ret_customer);
    ret_customer->raw = raw;
    return STATUS_OK;
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

struct status stripe_customer_set_default(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    const char *payment_method_id,
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
    stripe_form_open(&form, "invoice_settings");
    stripe_form_text_or_unset(&form, "default_payment_method", payment_method_id);
    stripe_form_close(&form);
    return read_call(cx, client, &call, ret_customer);
}
