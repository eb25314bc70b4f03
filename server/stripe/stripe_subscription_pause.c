#include "stripe/stripe_subscription_pause.h"

#include "stripe/stripe_client.h"
#include "stripe/stripe_form.h"
#include "stripe/stripe_subscription.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024)

/* The body under construction, with its buffer. */
struct request {
    struct buf body;
    struct stripe_form form;
};

static void begin(struct request *request)
{
    buf_init(&request->body, FORM_BYTES_MAX);
    stripe_form_begin(&request->form, &request->body);
}

static void release(struct request *request)
{
    buf_release(&request->body);
}

static struct status post(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    const char *verb,
    const struct request *request,
    struct payment_subscription *ret_subscription)
{
    const struct stripe_subscription_post post = {
        .endpoint = verb == NULL     ? "subscriptions.update"
                    : verb[1] == 'p' ? "subscriptions.pause"
                                     : "subscriptions.resume",
        .account_id = target->account_id,
        .subscription_id = target->subscription_id,
        .suffix = verb == NULL ? "" : verb,
        .idempotency_key = target->idempotency_key,
    };

    return stripe_subscription_post(cx, client, &post, &request->body, ret_subscription);
}

struct status stripe_subscription_pause_collection(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    const char *behavior,
    int64_t resumes_us,
    struct payment_subscription *ret_subscription)
{
    AUTO(release) struct request request = {0};

    begin(&request);
    stripe_form_open(&request.form, "pause_collection");
    stripe_form_text(&request.form, "behavior", behavior);
    stripe_form_time(&request.form, "resumes_at", resumes_us);
    stripe_form_close(&request.form);
    return post(cx, client, target, NULL, &request, ret_subscription);
}

struct status stripe_subscription_resume_collection(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    struct payment_subscription *ret_subscription)
{
    AUTO(release) struct request request = {0};

    begin(&request);
    stripe_form_unset(&request.form, "pause_collection");
    return post(cx, client, target, NULL, &request, ret_subscription);
}

struct status stripe_subscription_collect_draft(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *invoice_id,
    const char *idempotency_key)
{
    AUTO(release) struct request request = {0};
    AUTO_JSON *json = NULL;
    const char *raw = NULL;
    struct stripe_call call = {
        .endpoint = "invoices.update",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &request.body,
        .idempotency_key = idempotency_key,
        .object = "invoice",
    };

    TRY(stripe_value_path(cx, "/v1/invoices/", invoice_id, "", &call.path));
    begin(&request);
    stripe_form_bool(&request.form, "auto_advance", true);
    return stripe_client_call(cx, client, &call, &json, &raw);
}

struct status stripe_subscription_pause(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    bool credit,
    struct payment_subscription *ret_subscription)
{
    AUTO(release) struct request request = {0};

    begin(&request);
    stripe_form_text(&request.form, "type", "subscription");
    if (credit) {
        stripe_form_open(&request.form, "bill_for");
        stripe_form_open(&request.form, "unused_time_from");
        stripe_form_text(&request.form, "type", "now");
        stripe_form_close(&request.form);
        stripe_form_close(&request.form);
        stripe_form_text(&request.form, "invoicing_behavior", "invoice");
    }
    return post(cx, client, target, "/pause", &request, ret_subscription);
}

struct status stripe_subscription_resume(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    bool new_period,
    struct payment_subscription *ret_subscription)
{
    AUTO(release) struct request request = {0};

    begin(&request);
    stripe_form_open(&request.form, "billing_cycle_anchor");
    stripe_form_text(&request.form, "type", new_period ? "now" : "unchanged");
    stripe_form_close(&request.form);
    stripe_form_text(&request.form, "payment_behavior", "resume_on_payment_success");
    return post(cx, client, target, "/resume", &request, ret_subscription);
}

struct status stripe_subscription_move_trial(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    int64_t trial_end_us,
    struct payment_subscription *ret_subscription)
{
    AUTO(release) struct request request = {0};

    begin(&request);
    if (trial_end_us == 0) {
        stripe_form_text(&request.form, "trial_end", "now");
        stripe_form_text(&request.form, "payment_behavior", "error_if_incomplete");
    } else {
        stripe_form_time(&request.form, "trial_end", trial_end_us);
    }
    stripe_form_text(&request.form, "proration_behavior", "none");
    return post(cx, client, target, NULL, &request, ret_subscription);
}
