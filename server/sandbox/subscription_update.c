#include "sandbox/subscription_update.h"

#include <string.h>

#include "sandbox/call.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/item_change.h"
#include "sandbox/param.h"
#include "sandbox/schedule.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_cycle.h"
#include "sandbox/subscription_draft.h"
#include "sandbox/subscription_due.h"

const struct param subscription_update_params[] = {
    {"items[*][id]", PARAM_TEXT, 0, NULL},
    {"items[*][price]", PARAM_TEXT, 0, NULL},
    {"items[*][quantity]", PARAM_INT, 0, NULL},
    {"items[*][deleted]", PARAM_BOOL, 0, NULL},
    {"items[*][metadata][*]", PARAM_TEXT, PARAM_UNSET, NULL},
    {"items", PARAM_UNSUPPORTED, 0, NULL},
    {"cancel_at_period_end", PARAM_BOOL, 0, NULL},
    {"cancel_at", PARAM_INT, PARAM_UNSET, NULL},
    {"cancellation_details[comment]", PARAM_TEXT, PARAM_UNSET, NULL},
    {"cancellation_details[feedback]",
     PARAM_ENUM,
     PARAM_UNSET,
     "customer_service|low_quality|missing_features|other|switched_service|too_complex|"
     "too_expensive|unused"},
    {"default_payment_method", PARAM_TEXT, PARAM_UNSET, NULL},
    {"description", PARAM_TEXT, PARAM_UNSET, NULL},
    {"application_fee_percent", PARAM_DECIMAL, PARAM_UNSET, NULL},
    {"proration_behavior", PARAM_ENUM, 0, "always_invoice|create_prorations|none"},
    {"proration_date", PARAM_INT, 0, NULL},
    {"payment_behavior",
     PARAM_ENUM,
     0,
     "allow_incomplete|default_incomplete|error_if_incomplete|pending_if_incomplete"},
    {"off_session", PARAM_BOOL, 0, NULL},
    {"trial_end", PARAM_TIME, 0, NULL},
    {"pause_collection", PARAM_NOTHING, PARAM_UNSET, NULL},
    {"pause_collection[behavior]", PARAM_ENUM, 0, "keep_as_draft|mark_uncollectible|void"},
    {"pause_collection[resumes_at]", PARAM_INT, 0, NULL},
    {"discounts", PARAM_NOTHING, PARAM_UNSET, NULL},
    {"discounts[*][coupon]", PARAM_TEXT, 0, NULL},
    {"discounts", PARAM_UNSUPPORTED, 0, NULL},
    {"payment_settings[save_default_payment_method]", PARAM_ENUM, 0, "off|on_subscription"},
    {"add_invoice_items", PARAM_UNSUPPORTED, 0, NULL},
    {"automatic_tax[enabled]", PARAM_ENUM, 0, "false"},
    {"billing_cycle_anchor", PARAM_UNSUPPORTED, 0, NULL},
    {"collection_method", PARAM_UNSUPPORTED, 0, NULL},
    {"days_until_due", PARAM_UNSUPPORTED, 0, NULL},
    {"trial_settings", PARAM_UNSUPPORTED, 0, NULL},
    {"payment_settings", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static bool in_future(struct call *call, const char *param, int64_t now_s)
{
    const int64_t time_s = call_i64(call, param, 0);

    return time_s == 0 || time_s > now_s ||
           call_fail(
               call,
               400,
               NULL,
               param,
               "Invalid timestamp: must be an integer Unix timestamp in the future.");
}

static bool check_times(struct call *call, int64_t now_s)
{
    const char *trial_end = call_text(call, "trial_end");

    return in_future(call, "pause_collection[resumes_at]", now_s) &&
           (trial_end == NULL || strcmp(trial_end, "now") == 0 ||
            in_future(call, "trial_end", now_s));
}

static bool check_status(struct call *call, const struct subscription *subscription)
{
    const bool items = form_has(&call->form, "items");

    if (!subscription_is_live(subscription)) {
        for (size_t i = 0; i < call->form.count; i++) {
            const char *key = call->form.pairs[i].key;

            if (strncmp(key, "metadata", 8) != 0 && strncmp(key, "cancellation_details", 20) != 0 &&
                strncmp(key, "expand", 6) != 0) {
                return call_fail(
                    call,
                    400,
                    NULL,
                    NULL,
                    "A canceled subscription can only update its cancellation_details and "
                    "metadata.");
            }
        }
    }
    if (subscription->status == SUBSCRIPTION_INCOMPLETE &&
        (items || form_has(&call->form, "trial_end") ||
         form_has(&call->form, "pause_collection"))) {
        return call_fail(
            call,
            400,
            NULL,
            NULL,
            "This subscription cannot be updated because it has a status of `incomplete`.");
    }
    if (subscription->schedule != NULL &&
        (form_has(&call->form, "cancel_at") || form_has(&call->form, "cancel_at_period_end"))) {
        return call_fail(
            call,
            400,
            NULL,
            NULL,
            "The subscription is managed by the subscription schedule `%s`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead.",
            subscription->schedule->object.id);
    }
    if (!check_times(call, customer_now_s(call->sim, subscription->customer))) {
        return false;
    }
    if (subscription_draft_behaves(call, "pending_if_incomplete")) {
        return call_fail_not_implemented(call, "payment_behavior=pending_if_incomplete");
    }
    if (call_bool(call, "cancel_at_period_end", false) && call_i64(call, "cancel_at", 0) > 0) {
        return call_fail(
            call,
            400,
            NULL,
            "cancel_at",
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.");
    }
    return true;
}

static void update_end(struct call *call, struct subscription *subscription)
{
    const char *at_end = call_text(call, "cancel_at_period_end");
    const char *at = call_text(call, "cancel_at");

    if (at_end == NULL && at == NULL) {
        return;
    }
    subscription->cancel_at_period_end = call_bool(call, "cancel_at_period_end", false);
    subscription->cancel_at_s = subscription->cancel_at_period_end
                                    ? subscription_last_end_s(subscription)
                                    : call_i64(call, "cancel_at", 0);
    if (subscription->cancel_at_s > 0) {
        subscription->canceled_s = customer_now_s(call->sim, subscription->customer);
        subscription->cancel_reason = "cancellation_requested";
    } else {
        subscription->canceled_s = 0;
        subscription->cancel_reason = NULL;
    }
}

static void update_pause(struct call *call, struct subscription *subscription)
{
    if (call_text(call, "pause_collection") != NULL) {
        subscription->pause_collection = NULL;
        subscription->pause_resumes_s = 0;
    }
    if (call_text(call, "pause_collection[behavior]") != NULL) {
        call_update_text(call, "pause_collection[behavior]", &subscription->pause_collection);
        subscription->pause_resumes_s = call_i64(call, "pause_collection[resumes_at]", 0);
    }
}

/* A trial that is ended now is paid now: with error_if_incomplete, not at all otherwise. */
static bool check_first_payment(struct call *call, const struct subscription *subscription)
{
    const char *text = call_text(call, "trial_end");
    struct subscription paid = *subscription;

    if (text == NULL || strcmp(text, "now") != 0 || subscription->send_invoice ||
        subscription->status != SUBSCRIPTION_TRIALING ||
        !subscription_draft_behaves(call, "error_if_incomplete")) {
        return true;
    }
    paid.trial_end_s = 0;
    paid.anchor_s = paid.start_s;
    return subscription_draft_payment(
        call,
        subscription->customer,
        subscription->default_payment_method != NULL
            ? subscription->default_payment_method
            : subscription->customer->default_payment_method,
        subscription_cycle_first_amount(&paid));
}

/* "now" ends a trial, a time moves its end. True when a period is to begin now. */
static bool update_trial(struct call *call, struct subscription *subscription)
{
    const int64_t now_s = customer_now_s(call->sim, subscription->customer);
    const char *text = call_text(call, "trial_end");
    const bool now = text != NULL && strcmp(text, "now") == 0;
    const int64_t end_s = now ? now_s : call_i64(call, "trial_end", 0);

    if (text == NULL || (now && subscription->status != SUBSCRIPTION_TRIALING)) {
        return false;
    }
    subscription->trial_end_s = end_s;
    subscription->anchor_s = end_s;
    if (!now) {
        subscription->status = SUBSCRIPTION_TRIALING;
        subscription->trial_start_s =
            subscription->trial_start_s == 0 ? now_s : subscription->trial_start_s;
        subscription->trial_will_end_told = false;
    }
    for (size_t i = 0; i < subscription->item_count; i++) {
        subscription->items[i].end_s = end_s;
    }
    return now;
}

static void update_plain(struct call *call, struct subscription *subscription)
{
    call_update_text(call, "description", &subscription->description);
    call_update_text(call, "cancellation_details[comment]", &subscription->cancel_comment);
    call_update_text(call, "cancellation_details[feedback]", &subscription->cancel_feedback);
    call_update_text(
        call, "payment_settings[save_default_payment_method]", &subscription->save_method);
    metadata_update(call, &subscription->metadata, "metadata");
}

/* What is checked before, and set afterwards. */
struct plain_change {
    struct payment_method *method;
    struct discount discount;
    int64_t fee_hundredths;
};

static bool
plan_plain(struct call *call, const struct subscription *subscription, struct plain_change *change)
{
    *change = (struct plain_change){
        .method = subscription->default_payment_method,
        .discount = subscription->discount,
        .fee_hundredths = subscription->fee_hundredths,
    };
    return subscription_draft_method(call, subscription->customer, &change->method) &&
           subscription_draft_fee(call, &change->fee_hundredths) &&
           metadata_check(call, &subscription->metadata, "metadata") &&
           subscription_draft_discount(
               call, customer_now_s(call->sim, subscription->customer), &change->discount);
}

bool subscription_update(struct call *call)
{
    struct subscription *subscription = NULL;
    struct plain_change plain;
    struct item_change items;
    const char *before = NULL;
    bool renew = false;

    if (!call_find_path(call, KIND_SUBSCRIPTION, &subscription) ||
        !check_status(call, subscription) || !plan_plain(call, subscription, &plain) ||
        !check_first_payment(call, subscription) || !item_change_plan(call, subscription, &items) ||
        !item_change_check_payment(call, subscription, &items)) {
        return false;
    }
    before = event_snapshot(call->sim, subscription);
    subscription->default_payment_method = plain.method;
    subscription->discount = plain.discount;
    subscription->fee_hundredths = plain.fee_hundredths;
    item_change_apply(call, subscription, &items);
    update_plain(call, subscription);
    renew = update_trial(call, subscription);
    update_pause(call, subscription);
    update_end(call, subscription);
    event_emit(call->sim, "customer.subscription.updated", subscription, before);
    item_change_bill(call->sim, subscription, &items);
    if (renew && !subscription_due_end_trial(call->sim, subscription)) {
        subscription_cycle_renew(call->sim, subscription, /* immediately= */ true);
    }
    return call_reply(call, subscription);
}
