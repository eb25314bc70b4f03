#include "sandbox/subscription_api.h"

#include <string.h>

#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/invoice.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/price.h"
#include "sandbox/proration.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_billing.h"
#include "sandbox/subscription_create.h"
#include "sandbox/subscription_cycle.h"
#include "sandbox/subscription_update.h"
#include "sandbox/test_clock.h"

static bool subscription_retrieve(struct call *call)
{
    struct subscription *subscription = NULL;

    return call_find_path(call, KIND_SUBSCRIPTION, &subscription) && call_reply(call, subscription);
}

static const struct param list_params[] = {
    {"customer", PARAM_TEXT, 0, NULL},
    {"price", PARAM_TEXT, 0, NULL},
    {"status",
     PARAM_ENUM,
     0,
     "active|all|canceled|ended|incomplete|incomplete_expired|past_due|paused|trialing|unpaid"},
    {"collection_method", PARAM_ENUM, 0, "charge_automatically|send_invoice"},
    {"test_clock", PARAM_TEXT, 0, NULL},
    PARAMS_TIME_FILTER("current_period_start"),
    PARAMS_TIME_FILTER("current_period_end"),
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

/* Without a status, canceled subscriptions are hidden. */
static bool status_matches(const struct call *call, const struct subscription *subscription)
{
    const char *asked = call_text(call, "status");

    if (asked == NULL) {
        return subscription->status != SUBSCRIPTION_CANCELED;
    }
    if (strcmp(asked, "all") == 0) {
        return true;
    }
    if (strcmp(asked, "ended") == 0) {
        return !subscription_is_live(subscription);
    }
    return strcmp(asked, subscription_status_word(subscription->status)) == 0;
}

static bool has_price(const struct call *call, const struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->item_count; i++) {
        if (list_ref_matches(call, "price", subscription->items[i].price)) {
            return true;
        }
    }
    return false;
}

/* Those that live by a test clock are hidden unless the clock or the customer is named. */
static bool match(const struct call *call, const struct object *object)
{
    const struct subscription *subscription = (const struct subscription *)object;
    const struct test_clock *clock = subscription->customer->test_clock;

    if (clock != NULL && call_text(call, "test_clock") == NULL &&
        call_text(call, "customer") == NULL) {
        return false;
    }
    return status_matches(call, subscription) && has_price(call, subscription) &&
           list_ref_matches(call, "customer", subscription->customer) &&
           list_ref_matches(call, "test_clock", clock) &&
           list_text_matches(
               call,
               "collection_method",
               subscription->send_invoice ? "send_invoice" : "charge_automatically") &&
           list_time_matches(call, "current_period_start", subscription->items[0].start_s) &&
           list_time_matches(call, "current_period_end", subscription_first_end_s(subscription)) &&
           list_time_matches(call, "created", object->created_s);
}

static bool subscription_list(struct call *call)
{
    return list_reply(call, KIND_SUBSCRIPTION, match);
}

static const struct param cancel_params[] = {
    {"invoice_now", PARAM_BOOL, 0, NULL},
    {"prorate", PARAM_BOOL, 0, NULL},
    {"cancellation_details[comment]", PARAM_TEXT, PARAM_UNSET, NULL},
    {"cancellation_details[feedback]",
     PARAM_ENUM,
     PARAM_UNSET,
     "customer_service|low_quality|missing_features|other|switched_service|too_complex|"
     "too_expensive|unused"},
    PARAMS_EXPAND,
    PARAM_END,
};

/* Credit for the unused time waits for the next invoice of the customer. from_s 0: since the
 * periods began. */
static void credit_rest(struct sim *sim, struct subscription *subscription, int64_t from_s)
{
    for (size_t i = 0; i < subscription->item_count; i++) {
        struct subscription_item *item = &subscription->items[i];
        struct invoice_line lines[2];

        subscription_billing_keep(
            sim,
            subscription,
            lines,
            proration_lines(sim, item, NULL, from_s == 0 ? item->start_s : from_s, lines));
        item->debited = 0;
    }
}

static bool subscription_cancel(struct call *call)
{
    struct subscription *subscription = NULL;
    bool was_active = false;

    if (!call_find_path(call, KIND_SUBSCRIPTION, &subscription)) {
        return false;
    }
    if (!subscription_is_live(subscription)) {
        return call_fail_missing(call, KIND_SUBSCRIPTION, call->ids[0], "id");
    }
    call_update_text(call, "cancellation_details[comment]", &subscription->cancel_comment);
    call_update_text(call, "cancellation_details[feedback]", &subscription->cancel_feedback);
    was_active = subscription->status == SUBSCRIPTION_ACTIVE;
    subscription_cycle_cancel(call->sim, subscription, "cancellation_requested");
    if (was_active && call_bool(call, "prorate", false)) {
        credit_rest(call->sim, subscription, customer_now_s(call->sim, subscription->customer));
    }
    if (was_active && call_bool(call, "invoice_now", false)) {
        subscription_billing_invoice_rest(call->sim, subscription);
    }
    return call_reply(call, subscription);
}

static const struct param item_list_params[] = {
    {"subscription", PARAM_TEXT, PARAM_REQUIRED, NULL},
    PARAMS_LIST,
    PARAM_END,
};

/* Where the page begins: behind the item that starting_after names. */
static bool find_item(struct call *call, const struct subscription *subscription, size_t *ret_start)
{
    const char *after = call_text(call, "starting_after");

    for (size_t i = 0; after != NULL && i < subscription->item_count; i++) {
        if (strcmp(subscription->items[i].id, after) == 0) {
            *ret_start = i + 1;
            return true;
        }
    }
    return after == NULL || call_fail(
                                call,
                                400,
                                "resource_missing",
                                "starting_after",
                                "No such subscription item: '%s'",
                                after);
}

static bool item_list(struct call *call)
{
    const int64_t limit = call_i64(call, "limit", 10);
    struct subscription *subscription = NULL;
    struct render render;
    size_t start = 0;
    size_t end = 0;

    if (!call_find(call, KIND_SUBSCRIPTION, "subscription", &subscription) ||
        !find_item(call, subscription, &start)) {
        return false;
    }
    if (call_text(call, "ending_before") != NULL) {
        return call_fail_not_implemented(call, "ending_before for subscription items");
    }
    end = start + (size_t)(limit < 1 ? 1 : limit);
    end = end < subscription->item_count ? end : subscription->item_count;
    render_begin(&render, call->sim, &call->body, &call->expand);
    render_list_open(&render, NULL);
    for (size_t i = start; i < end; i++) {
        subscription_render_item(&render, subscription, &subscription->items[i]);
    }
    render_list_close(&render, end < subscription->item_count, "/v1/subscription_items");
    call->status = 200;
    return true;
}

static const struct param pause_params[] = {
    {"type", PARAM_ENUM, PARAM_REQUIRED, "subscription"},
    {"bill_for[unused_time_from][type]", PARAM_ENUM, 0, "item_current_period_start|none|now"},
    {"bill_for", PARAM_UNSUPPORTED, 0, NULL},
    {"invoicing_behavior", PARAM_ENUM, 0, "invoice|pending_invoice_item"},
    PARAMS_EXPAND,
    PARAM_END,
};

/* What was paid and will not be used: at once as an invoice of its own, which is a credit to the
 * balance, or on the next one. */
static void pay_back(struct call *call, struct subscription *subscription)
{
    const char *from = call_text(call, "bill_for[unused_time_from][type]");
    const char *how = call_text(call, "invoicing_behavior");

    if (from == NULL || strcmp(from, "none") == 0) {
        return;
    }
    credit_rest(
        call->sim,
        subscription,
        strcmp(from, "now") == 0 ? customer_now_s(call->sim, subscription->customer) : 0);
    if (how != NULL && strcmp(how, "invoice") == 0) {
        subscription_billing_invoice_kept(call->sim, subscription, "subscription_update");
    }
}

static bool subscription_pause(struct call *call)
{
    struct subscription *subscription = NULL;

    if (!call_find_path(call, KIND_SUBSCRIPTION, &subscription)) {
        return false;
    }
    if (subscription->status != SUBSCRIPTION_ACTIVE) {
        return call_fail(
            call,
            400,
            "status_transition_invalid",
            NULL,
            "Only active subscriptions can be paused; this one is %s.",
            subscription_status_word(subscription->status));
    }
    pay_back(call, subscription);
    subscription_cycle_pause(call->sim, subscription, "pause_requested");
    return call_reply(call, subscription);
}

static const struct param resume_params[] = {
    {"billing_cycle_anchor[type]", PARAM_ENUM, 0, "now|unchanged"},
    {"payment_behavior", PARAM_ENUM, 0, "resume_on_payment_attempt|resume_on_payment_success"},
    {"billing_cycle_anchor", PARAM_UNSUPPORTED, 0, NULL},
    {"proration_behavior", PARAM_UNSUPPORTED, 0, NULL},
    {"proration_date", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static bool subscription_resume(struct call *call)
{
    const char *anchor = call_text(call, "billing_cycle_anchor[type]");
    const char *behavior = call_text(call, "payment_behavior");
    struct subscription *subscription = NULL;

    if (!call_find_path(call, KIND_SUBSCRIPTION, &subscription)) {
        return false;
    }
    if (subscription->status != SUBSCRIPTION_PAUSED || subscription->send_invoice) {
        return call_fail(
            call,
            400,
            "status_transition_invalid",
            NULL,
            "Only paused subscriptions that are charged automatically can be resumed; this one is "
            "%s.",
            subscription_status_word(subscription->status));
    }
    subscription_cycle_resume(
        call->sim,
        subscription,
        (struct resumption){
            .new_period = anchor == NULL || strcmp(anchor, "now") == 0,
            .attempt = behavior != NULL && strcmp(behavior, "resume_on_payment_attempt") == 0,
        });
    return call_reply(call, subscription);
}

const struct endpoint subscription_api[] = {
    {"POST",
     "/v1/subscriptions",
     subscription_create,
     subscription_create_params,
     KIND_SUBSCRIPTION,
     0},
    {"GET", "/v1/subscriptions", subscription_list, list_params, KIND_SUBSCRIPTION, ENDPOINT_LIST},
    {"GET", "/v1/subscriptions/{}", subscription_retrieve, NULL, KIND_SUBSCRIPTION, 0},
    {"POST",
     "/v1/subscriptions/{}",
     subscription_update,
     subscription_update_params,
     KIND_SUBSCRIPTION,
     0},
    {"DELETE", "/v1/subscriptions/{}", subscription_cancel, cancel_params, KIND_SUBSCRIPTION, 0},
    {"POST", "/v1/subscriptions/{}/pause", subscription_pause, pause_params, KIND_SUBSCRIPTION, 0},
    {"POST",
     "/v1/subscriptions/{}/resume",
     subscription_resume,
     resume_params,
     KIND_SUBSCRIPTION,
     0},
    {"GET", "/v1/subscription_items", item_list, item_list_params, KIND_NONE, ENDPOINT_LIST},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
