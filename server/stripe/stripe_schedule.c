#include "stripe/stripe_schedule.h"

#include <string.h>

#include "stripe/stripe_client.h"
#include "stripe/stripe_subscription.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024)

struct status stripe_schedule_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const char *idempotency_key,
    struct stripe_schedule *ret_schedule)
{
    AUTO_BUF body = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "from_subscription", subscription_id);
    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "subscription_schedules.create",
            .verb = STRIPE_POST,
            .path = "/v1/subscription_schedules",
            .account_id = account_id,
            .form = &body,
            .idempotency_key = idempotency_key,
            .object = "subscription_schedule",
        },
        &json,
        &raw));
    *ret_schedule = (struct stripe_schedule){
        .id = json_text(cx, json_root(json), "id"),
        .start_us = stripe_value_time(json_root(json), "current_phase.start_date"),
        .end_us = stripe_value_time(json_root(json), "current_phase.end_date"),
    };
    return STATUS_OK;
}

static void put_lines(struct stripe_form *form, struct stripe_schedule_lines lines)
{
    stripe_form_open_array(form, "items");
    for (size_t i = 0; i < lines.count; i++) {
        stripe_form_open_element(form);
        stripe_form_text(form, "price", lines.lines[i].price_id);
        if (lines.lines[i].quantity > 0) {
            stripe_form_i64(form, "quantity", lines.lines[i].quantity);
        }
        stripe_form_close(form);
    }
    stripe_form_close(form);
    stripe_form_text(form, "proration_behavior", "none");
}

static void put_phases(
    struct stripe_form *form,
    const struct stripe_schedule *schedule,
    struct stripe_schedule_lines before,
    struct stripe_schedule_lines after)
{
    stripe_form_text(form, "end_behavior", "release");
    stripe_form_open_array(form, "phases");
    stripe_form_open_element(form);
    put_lines(form, before);
    stripe_form_time(form, "start_date", schedule->start_us);
    stripe_form_time(form, "end_date", schedule->end_us);
    stripe_form_close(form);
    stripe_form_open_element(form);
    put_lines(form, after);
    stripe_form_open(form, "duration");
    stripe_form_text(form, "interval", "day");
    stripe_form_i64(form, "interval_count", 1);
    stripe_form_close(form);
    stripe_form_close(form);
    stripe_form_close(form);
}

struct status stripe_schedule_set(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_schedule *schedule,
    struct stripe_schedule_lines before,
    struct stripe_schedule_lines after,
    const char *idempotency_key)
{
    AUTO_BUF body = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;
    struct stripe_call call = {
        .endpoint = "subscription_schedules.update",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "subscription_schedule",
    };

    TRY(stripe_value_path(cx, "/v1/subscription_schedules/", schedule->id, "", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    put_phases(&form, schedule, before, after);
    return stripe_client_call(cx, client, &call, &json, &raw);
}

/* Whether it has let go of its subscription. */
static bool is_over(
    struct ctx *cx, struct stripe_client *client, const char *account_id, const char *schedule_id)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;
    struct status status;
    struct stripe_call call = {
        .endpoint = "subscription_schedules.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "subscription_schedule",
    };

    status = stripe_value_path(cx, "/v1/subscription_schedules/", schedule_id, "", &call.path);
    if (status.code == CODE_OK) {
        status = stripe_client_call(cx, client, &call, &json, &raw);
    }
    if (status.code != CODE_OK) {
        status_ignore(cx, status, "the first failure tells more");
        return false;
    }
    return strcmp(json_text(cx, json_root(json), "status"), "active") != 0;
}

struct status stripe_schedule_release(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *schedule_id,
    const char *idempotency_key)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;
    struct status status;
    struct stripe_call call = {
        .endpoint = "subscription_schedules.release",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .idempotency_key = idempotency_key,
        .object = "subscription_schedule",
    };

    TRY(stripe_value_path(cx, "/v1/subscription_schedules/", schedule_id, "/release", &call.path));
    status = stripe_client_call(cx, client, &call, &json, &raw);
    return status_reason(status) == REASON_PAYMENT_SIDE_REJECTED &&
                   is_over(cx, client, account_id, schedule_id)
               ? STATUS_OK
               : status;
}
