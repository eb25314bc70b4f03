#include "stripe/stripe_tax_id.h"

#include "base/arena.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)4 * 1024)

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_tax_id *ret_tax_id)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;
    json_value root = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    root = json_root(json);
    *ret_tax_id = (struct payment_tax_id){
        .id = json_text(cx, root, "id"),
        .customer_id = stripe_value_reference(cx, root, "customer"),
        .type_text = json_text(cx, root, "type"),
        .value = json_text(cx, root, "value"),
        .verification = json_text(cx, root, "verification.status"),
        .created_us = stripe_value_time(root, "created"),
    };
    return STATUS_OK;
}

struct status stripe_tax_id_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_tax_id_params *params,
    const char *idempotency_key,
    struct payment_tax_id *ret_tax_id)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct stripe_call call = {
        .endpoint = "tax_ids.create",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "tax_id",
    };

    TRY(stripe_value_path(cx, "/v1/customers/", params->customer_id, "/tax_ids", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "type", params->kind);
    stripe_form_text(&form, "value", params->value);
    return read_call(cx, client, &call, ret_tax_id);
}

struct status stripe_tax_id_delete(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    const char *tax_id_id)
{
    struct payment_tax_id tax_id;
    struct status status;
    const char *start = NULL;
    struct stripe_call call = {
        .endpoint = "tax_ids.delete",
        .verb = STRIPE_DELETE,
        .account_id = account_id,
        .object = "tax_id",
    };

    TRY(stripe_value_path(cx, "/v1/customers/", customer_id, "/tax_ids/", &start));
    TRY(stripe_value_path(cx, start, tax_id_id, "", &call.path));
    status = read_call(cx, client, &call, &tax_id);
    return status.code != CODE_OK &&
                   stripe_client_error(client)->failure == PAYMENT_FAILURE_NOT_FOUND
               ? STATUS_OK
               : status;
}

struct status stripe_tax_id_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *tax_id_id,
    struct payment_tax_id *ret_tax_id)
{
    struct stripe_call call = {
        .endpoint = "tax_ids.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "tax_id",
    };

    TRY(stripe_value_path(cx, "/v1/tax_ids/", tax_id_id, "", &call.path));
    return read_call(cx, client, &call, ret_tax_id);
}
