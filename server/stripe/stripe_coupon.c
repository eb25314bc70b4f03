#include "stripe/stripe_coupon.h"

#include <string.h>

#include "base/arena.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)4 * 1024)

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_coupon *ret_coupon)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;
    json_value root = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    root = json_root(json);
    *ret_coupon = (struct payment_coupon){
        .id = json_text(cx, root, "id"),
        .redemptions = json_i64(root, "times_redeemed"),
        .deleted = json_bool(root, "deleted"),
    };
    return STATUS_OK;
}

static struct status
put_params(struct ctx *cx, struct stripe_form *form, const struct stripe_coupon_params *params)
{
    stripe_form_text(form, "id", params->id);
    stripe_form_text(form, "name", params->name);
    if (params->percent_off_bps > 0) {
        stripe_form_text(
            form,
            "percent_off",
            arena_printf(
                cx->arena,
                "%d.%02d",
                params->percent_off_bps / 100,
                params->percent_off_bps % 100));
    } else {
        TRY(stripe_value_put_minor(
            cx, form, "amount_off", params->amount_off_minor, params->currency));
        stripe_value_put_currency(cx, form, params->currency);
    }
    stripe_form_text(form, "duration", params->duration);
    if (params->months > 0) {
        stripe_form_i64(form, "duration_in_months", params->months);
    }
    if (params->redemptions_max > 0) {
        stripe_form_i64(form, "max_redemptions", params->redemptions_max);
    }
    stripe_form_time(form, "redeem_by", params->redeem_by_us);
    stripe_value_put_marks(form, &params->marks);
    return STATUS_OK;
}

struct status stripe_coupon_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_coupon_params *params,
    const char *idempotency_key,
    struct payment_coupon *ret_coupon)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct status status;
    const struct stripe_call call = {
        .endpoint = "coupons.create",
        .verb = STRIPE_POST,
        .path = "/v1/coupons",
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "coupon",
    };

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    TRY(put_params(cx, &form, params));
    status = read_call(cx, client, &call, ret_coupon);
    return status_reason(status) == REASON_PAYMENT_SIDE_REJECTED &&
                   strcmp(stripe_client_error(client)->code, "resource_already_exists") == 0
               ? stripe_coupon_retrieve(cx, client, account_id, params->id, ret_coupon)
               : status;
}

struct status stripe_coupon_rename(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *coupon_id,
    const char *name,
    const char *idempotency_key,
    struct payment_coupon *ret_coupon)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct stripe_call call = {
        .endpoint = "coupons.update",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "coupon",
    };

    TRY(stripe_value_path(cx, "/v1/coupons/", coupon_id, "", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "name", name);
    return read_call(cx, client, &call, ret_coupon);
}

struct status stripe_coupon_delete(
    struct ctx *cx, struct stripe_client *client, const char *account_id, const char *coupon_id)
{
    struct payment_coupon coupon;
    struct status status;
    struct stripe_call call = {
        .endpoint = "coupons.delete",
        .verb = STRIPE_DELETE,
        .account_id = account_id,
        .object = "coupon",
    };

    TRY(stripe_value_path(cx, "/v1/coupons/", coupon_id, "", &call.path));
    status = read_call(cx, client, &call, &coupon);
    return status.code != CODE_OK &&
                   stripe_client_error(client)->failure == PAYMENT_FAILURE_NOT_FOUND
               ? STATUS_OK
               : status;
}

struct status stripe_coupon_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *coupon_id,
    struct payment_coupon *ret_coupon)
{
    struct stripe_call call = {
        .endpoint = "coupons.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "coupon",
    };

    TRY(stripe_value_path(cx, "/v1/coupons/", coupon_id, "", &call.path));
    return read_call(cx, client, &call, ret_coupon);
}
