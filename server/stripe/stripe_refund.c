#include "stripe/stripe_refund.h"

#include <string.h>

#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)4 * 1024)
#define PAGE_MAX 100

static void read_refund(struct ctx *cx, json_value object, struct payment_refund *ret_refund)
{
    const char *currency = stripe_value_currency(cx, object, "currency");

    *ret_refund = (struct payment_refund){
        .id = json_text(cx, object, "id"),
        .payment_intent_id = stripe_value_reference(cx, object, "payment_intent"),
        .charge_id = stripe_value_reference(cx, object, "charge"),
        .currency = currency,
        .amount_minor = stripe_value_minor(object, "amount", currency),
        .status_text = json_text(cx, object, "status"),
        .reason = json_text(cx, object, "reason"),
        .failure_code = json_text(cx, object, "failure_reason"),
        .created_us = stripe_value_time(object, "created"),
        .marks = stripe_value_marks(cx, object, "metadata"),
        .raw = json_print(cx, object),
    };
}

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_refund *ret_refund)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    read_refund(cx, json_root(json), ret_refund);
    return STATUS_OK;
}

struct status stripe_refund_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_refund_params *params,
    const char *idempotency_key,
    struct payment_refund *ret_refund)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    const struct stripe_call call = {
        .endpoint = "refunds.create",
        .verb = STRIPE_POST,
        .path = "/v1/refunds",
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "refund",
    };

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "payment_intent", params->payment_intent_id);
    TRY(stripe_value_put_minor(cx, &form, "amount", params->amount_minor, params->currency));
    stripe_form_text(&form, "reason", params->reason);
    if (params->application_fee) {
        stripe_form_bool(&form, "refund_application_fee", true);
    }
    stripe_value_put_marks(&form, &params->marks);
    return read_call(cx, client, &call, ret_refund);
}

struct status stripe_refund_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *refund_id,
    struct payment_refund *ret_refund)
{
    struct stripe_call call = {
        .endpoint = "refunds.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "refund",
    };

    TRY(stripe_value_path(cx, "/v1/refunds/", refund_id, "", &call.path));
    return read_call(cx, client, &call, ret_refund);
}

struct status stripe_refund_find(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_intent_id,
    const char *operation_id,
    bool *ret_found,
    struct payment_refund *ret_refund)
{
    AUTO_BUF query = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;
    json_value data = NULL;
    const struct stripe_call call = {
        .endpoint = "refunds.list",
        .verb = STRIPE_GET,
        .path = "/v1/refunds",
        .account_id = account_id,
        .form = &query,
        .object = "list",
    };

    buf_init(&query, FORM_BYTES_MAX);
    stripe_form_begin(&form, &query);
    stripe_form_text(&form, "payment_intent", payment_intent_id);
    stripe_form_i64(&form, "limit", PAGE_MAX);
    TRY(stripe_client_call(cx, client, &call, &json, &raw));
    data = json_get(json_root(json), "data");
    *ret_found = false;
    for (size_t i = 0; !*ret_found && i < json_len(data); i++) {
        read_refund(cx, json_item(data, i), ret_refund);
        *ret_found = strcmp(ret_refund->marks.operation_id, operation_id) == 0;
    }
    return STATUS_OK;
}
