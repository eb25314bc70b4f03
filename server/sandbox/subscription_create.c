#include "sandbox/subscription_create.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/call.h"
#include "sandbox/customer.h"
#include "sandbox/param.h"
#include "sandbox/price.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_cycle.h"
#include "sandbox/subscription_draft.h"

#define DAY_S INT64_C(86400)
#define TRIAL_DAYS_MAX 730

const struct param subscription_create_params[] = {
    {"customer", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"items[*][price]", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"items[*][quantity]", PARAM_INT, 0, NULL},
    {"items[*][metadata][*]", PARAM_TEXT, PARAM_UNSET, NULL},
    {"items[*][price_data]", PARAM_UNSUPPORTED, 0, NULL},
    {"items[*][discounts]", PARAM_UNSUPPORTED, 0, NULL},
    {"default_payment_method", PARAM_TEXT, 0, NULL},
    {"payment_behavior",
     PARAM_ENUM,
     0,
     "allow_incomplete|default_incomplete|error_if_incomplete|pending_if_incomplete"},
    {"payment_settings[save_default_payment_method]", PARAM_ENUM, 0, "off|on_subscription"},
    {"payment_settings", PARAM_UNSUPPORTED, 0, NULL},
    {"off_session", PARAM_BOOL, 0, NULL},
    {"trial_period_days", PARAM_INT, 0, NULL},
    {"trial_end", PARAM_TIME, 0, NULL},
    {"trial_settings[end_behavior][missing_payment_method]",
     PARAM_ENUM,
     0,
     "cancel|create_invoice|pause"},
    {"cancel_at_period_end", PARAM_BOOL, 0, NULL},
    {"cancel_at", PARAM_INT, 0, NULL},
    {"collection_method", PARAM_ENUM, 0, "charge_automatically|send_invoice"},
    {"days_until_due", PARAM_INT, 0, NULL},
    {"application_fee_percent", PARAM_DECIMAL, 0, NULL},
    {"billing_mode[type]", PARAM_ENUM, 0, "classic|flexible"},
    {"currency", PARAM_TEXT, 0, NULL},
    {"description", PARAM_TEXT, 0, NULL},
    {"proration_behavior", PARAM_ENUM, 0, "always_invoice|create_prorations|none"},
    {"discounts", PARAM_NOTHING, PARAM_UNSET, NULL},
    {"discounts[*][coupon]", PARAM_TEXT, 0, NULL},
    {"discounts", PARAM_UNSUPPORTED, 0, NULL},
    {"automatic_tax[enabled]", PARAM_ENUM, 0, "false"},
    {"add_invoice_items", PARAM_UNSUPPORTED, 0, NULL},
    {"backdate_start_date", PARAM_INT, 0, NULL},
    {"billing_cycle_anchor", PARAM_INT, 0, NULL},
    {"billing_cycle_anchor_config", PARAM_UNSUPPORTED, 0, NULL},
    {"billing_schedules", PARAM_UNSUPPORTED, 0, NULL},
    {"billing_thresholds", PARAM_UNSUPPORTED, 0, NULL},
    {"default_tax_rates", PARAM_UNSUPPORTED, 0, NULL},
    {"invoice_settings", PARAM_UNSUPPORTED, 0, NULL},
    {"on_behalf_of", PARAM_UNSUPPORTED, 0, NULL},
    {"pending_invoice_item_interval", PARAM_UNSUPPORTED, 0, NULL},
    {"transfer_data", PARAM_UNSUPPORTED, 0, NULL},
    {"trial_from_plan", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static bool read_items(struct call *call, struct subscription *draft)
{
    const size_t count = form_len(&call->form, "items");

    if (count > SUBSCRIPTION_ITEMS_MAX) {
        return call_fail(call, 400, NULL, "items", "A subscription has at most 20 items.");
    }
    for (size_t i = 0; i < count; i++) {
        if (!subscription_draft_item(call, i, &draft->items[i])) {
            return false;
        }
        if (!metadata_check(
                call,
                &draft->items[i].metadata,
                arena_printf(call->cx->arena, "items[%zu][metadata]", i))) {
            return false;
        }
    }
    draft->item_count = count;
    return subscription_draft_check_items(call, draft->customer, draft->items, count);
}

static bool read_trial(struct call *call, struct subscription *draft)
{
    const int64_t days = call_i64(call, "trial_period_days", 0);
    const int64_t end_s = call_i64(call, "trial_end", 0);

    if (days != 0 && call_text(call, "trial_end") != NULL) {
        return call_fail(
            call,
            400,
            NULL,
            "trial_end",
            "You may only specify one of these parameters: trial_end, trial_period_days.");
    }
    if (days < 0 || days > TRIAL_DAYS_MAX) {
        return call_fail(
            call,
            400,
            "parameter_invalid_integer",
            "trial_period_days",
            "The maximum number of trial period days is %d (2 years).",
            TRIAL_DAYS_MAX);
    }
    if (end_s != 0 && end_s <= draft->start_s) {
        return call_fail(
            call,
            400,
            NULL,
            "trial_end",
            "Invalid timestamp: must be an integer Unix timestamp in the future.");
    }
    draft->trial_end_s = days > 0 ? draft->start_s + days * DAY_S : end_s;
    draft->trial_start_s = draft->trial_end_s > 0 ? draft->start_s : 0;
    draft->anchor_s = draft->trial_end_s > 0 ? draft->trial_end_s : draft->start_s;
    return true;
}

/* At most one period ahead: what comes before is the stub of the first whole one. */
static bool read_anchor(struct call *call, struct subscription *draft)
{
    const int64_t anchor_s = call_i64(call, "billing_cycle_anchor", 0);
    const char *proration = call_text(call, "proration_behavior");

    draft->backdate_s = call_i64(call, "backdate_start_date", 0);
    draft->free_until_anchor = proration != NULL && strcmp(proration, "none") == 0;
    if (draft->backdate_s >= draft->start_s) {
        return call_fail(
            call, 400, NULL, "backdate_start_date", "The backdate_start_date must be in the past.");
    }
    if (draft->backdate_s > 0 && !draft->free_until_anchor) {
        return call_fail_not_implemented(call, "backdate_start_date with prorations");
    }
    if (anchor_s == 0) {
        return true;
    }
    if (draft->trial_end_s > 0) {
        return call_fail_not_implemented(call, "billing_cycle_anchor with a trial");
    }
    draft->anchor_s = anchor_s;
    return (anchor_s > draft->start_s &&
            anchor_s <= calendar_step(draft->start_s, draft->items[0].price->interval, 1)) ||
           call_fail(
               call,
               400,
               NULL,
               "billing_cycle_anchor",
               "billing_cycle_anchor must be in the future and cannot be later than the next "
               "natural billing date.");
}

static bool read_collection(struct call *call, struct subscription *draft)
{
    const char *method = call_text(call, "collection_method");

    draft->send_invoice = method != NULL && strcmp(method, "send_invoice") == 0;
    draft->days_until_due = call_i64(call, "days_until_due", 0);
    if (draft->send_invoice != (call_text(call, "days_until_due") != NULL)) {
        return call_fail(
            call,
            400,
            NULL,
            "days_until_due",
            "`days_until_due` must be set when, and only when, `collection_method` is "
            "`send_invoice`.");
    }
    return true;
}

static bool read(struct call *call, struct subscription *draft)
{
    const struct payment_method *method = NULL;

    if (!call_find(call, KIND_CUSTOMER, "customer", &draft->customer)) {
        return false;
    }
    draft->start_s = customer_now_s(call->sim, draft->customer);
    if (subscription_draft_behaves(call, "pending_if_incomplete")) {
        return call_fail(
            call,
            400,
            NULL,
            "payment_behavior",
            "You cannot use `pending_if_incomplete` when creating a subscription.");
    }
    if (!read_items(call, draft) || !read_trial(call, draft) || !read_anchor(call, draft) ||
        !read_collection(call, draft) ||
        !subscription_draft_method(call, draft->customer, &draft->default_payment_method) ||
        !subscription_draft_fee(call, &draft->fee_hundredths) ||
        !metadata_check(call, &draft->metadata, "metadata") ||
        !subscription_draft_discount(call, draft->start_s, &draft->discount)) {
        return false;
    }
    if (draft->send_invoice) {
        return true;
    }
    method = draft->default_payment_method != NULL ? draft->default_payment_method
                                                   : draft->customer->default_payment_method;
    return subscription_draft_payment(
        call, draft->customer, method, subscription_cycle_first_amount(draft));
}

static void fill_items(struct call *call, struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->item_count; i++) {
        struct subscription_item *item = &subscription->items[i];

        item->id = sim_draw_id(call->sim, "si_");
        item->created_s = subscription->start_s;
        metadata_update(
            call, &item->metadata, arena_printf(call->cx->arena, "items[%zu][metadata]", i));
    }
}

static void fill(struct call *call, struct subscription *subscription)
{
    const char *mode = call_text(call, "billing_mode[type]");

    subscription->flexible = mode == NULL || strcmp(mode, "flexible") == 0;
    subscription->trial_without_method = "create_invoice";
    call_update_text(
        call,
        "trial_settings[end_behavior][missing_payment_method]",
        &subscription->trial_without_method);
    call_update_text(
        call, "payment_settings[save_default_payment_method]", &subscription->save_method);
    call_update_text(call, "description", &subscription->description);
    metadata_update(call, &subscription->metadata, "metadata");
    fill_items(call, subscription);
    if (subscription->discount.id != NULL) {
        subscription->discount.coupon->times_redeemed++;
    }
}

/* A cancellation that is asked for from the beginning is known once the periods are. */
static void plan_end(struct call *call, struct subscription *subscription)
{
    const int64_t cancel_at_s = call_i64(call, "cancel_at", 0);

    subscription->cancel_at_period_end = call_bool(call, "cancel_at_period_end", false);
    subscription->cancel_at_s = cancel_at_s;
    if (subscription->cancel_at_period_end) {
        subscription->cancel_at_s = subscription->trial_end_s > 0
                                        ? subscription->trial_end_s
                                        : calendar_next(
                                              subscription->anchor_s,
                                              subscription->items[0].price->interval,
                                              subscription->start_s);
    }
    if (subscription->cancel_at_s > 0) {
        subscription->canceled_s = subscription->start_s;
        subscription->cancel_reason = "cancellation_requested";
    }
}

bool subscription_create(struct call *call)
{
    struct subscription *draft = ARENA_NEW(call->cx->arena, struct subscription);
    struct subscription *subscription = NULL;
    struct object header = {.kind = KIND_SUBSCRIPTION};

    if (!read(call, draft)) {
        return false;
    }
    subscription =
        object_new(call->sim, call->account, KIND_SUBSCRIPTION, sizeof *subscription, NULL);
    header = subscription->object;
    *subscription = *draft;
    subscription->object = header;
    subscription->object.created_s = subscription->start_s;
    fill(call, subscription);
    plan_end(call, subscription);
    subscription_cycle_start(
        call->sim,
        subscription,
        /* collect= */ !subscription_draft_behaves(call, "default_incomplete"));
    return call_reply(call, subscription);
}
