#include "stripe/stripe_meter.h"

#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)4 * 1024)

struct status stripe_meter_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_meter_params *params,
    const char *idempotency_key,
    const char **ret_meter_id)
{
    AUTO_BUF body = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "display_name", params->display_name);
    stripe_form_text(&form, "event_name", params->event_name);
    stripe_form_open(&form, "default_aggregation");
    stripe_form_text(&form, "formula", params->formula);
    stripe_form_close(&form);
    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "meters.create",
            .verb = STRIPE_POST,
            .path = "/v1/billing/meters",
            .account_id = account_id,
            .form = &body,
            .idempotency_key = idempotency_key,
            .object = "billing.meter",
        },
        &json,
        &raw));
    *ret_meter_id = json_text(cx, json_root(json), "id");
    return STATUS_OK;
}
