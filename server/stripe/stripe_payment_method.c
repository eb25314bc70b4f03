#include "stripe/stripe_payment_method.h"

#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)4 * 1024)

struct status stripe_payment_method_attach(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *payment_method_id,
    const char *customer_id,
    const char *idempotency_key,
    const char **ret_id)
{
    AUTO_BUF body = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;
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
    TRY(stripe_client_call(cx, client, &call, &json, &raw));
    *ret_id = json_text(cx, json_root(json), "id");
    return STATUS_OK;
}
