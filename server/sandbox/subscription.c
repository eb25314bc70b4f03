#include "sandbox/subscription.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/payment_method.h"
#include "sandbox/price.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"
#include "sandbox/test_clock.h"

const char *subscription_currency(const struct subscription *subscription)
{
    return subscription->items[0].price->currency;
}

const char *subscription_status_word(enum subscription_status status)
{
    static const char *const words[] = {
        [SUBSCRIPTION_INCOMPLETE] = "incomplete",
        [SUBSCRIPTION_INCOMPLETE_EXPIRED] = "incomplete_expired",
        [SUBSCRIPTION_TRIALING] = "trialing",
        [SUBSCRIPTION_ACTIVE] = "active",
        [SUBSCRIPTION_PAST_DUE] = "past_due",
        [SUBSCRIPTION_UNPAID] = "unpaid",
        [SUBSCRIPTION_PAUSED] = "paused",
        [SUBSCRIPTION_CANCELED] = "canceled"};

    return words[status];
}

bool subscription_is_live(const struct subscription *subscription)
{
    return subscription->status != SUBSCRIPTION_CANCELED &&
           subscription->status != SUBSCRIPTION_INCOMPLETE_EXPIRED;
}

int64_t subscription_first_end_s(const struct subscription *subscription)
{
    int64_t end_s = subscription->items[0].end_s;

    for (size_t i = 1; i < subscription->item_count; i++) {
        if (subscription->items[i].end_s < end_s) {
            end_s = subscription->items[i].end_s;
        }
    }
    return end_s;
}

int64_t subscription_last_end_s(const struct subscription *subscription)
{
    int64_t end_s = subscription->items[0].end_s;

    for (size_t i = 1; i < subscription->item_count; i++) {
        if (subscription->items[i].end_s > end_s) {
            end_s = subscription->items[i].end_s;
        }
    }
    return end_s;
}

void subscription_render_item(
    struct render *render,
    const struct subscription *subscription,
    const struct subscription_item *item)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, NULL);
    json_put_text(w, "id", item->id);
    json_put_text(w, "object", "subscription_item");
    json_put_i64(w, "created", item->created_s);
    json_put_i64(w, "current_period_end", item->end_s);
    json_put_i64(w, "current_period_start", item->start_s);
    render_nulls(render, "billing_thresholds current_trial");
    render_empty_arrays(render, "discounts");
    metadata_render(render, "metadata", &item->metadata);
    price_render_plan(render, item->price);
    render_enter(render, "price");
    render_object(render, "price", item->price);
    render_leave(render);
    if (!item->price->metered) {
        json_put_i64(w, "quantity", item->quantity);
    }
    json_put_text(w, "subscription", subscription->object.id);
    render_empty_arrays(render, "tax_rates");
    json_close_object(w);
}

static void render_items(struct render *render, const struct subscription *subscription)
{
    render_list_open(render, "items");
    for (size_t i = 0; i < subscription->item_count && i < SUBSCRIPTION_ITEMS_SHOWN; i++) {
        subscription_render_item(render, subscription, &subscription->items[i]);
    }
    render_list_close(
        render,
        subscription->item_count > SUBSCRIPTION_ITEMS_SHOWN,
        arena_printf(
            render->sim->cx->arena,
            "/v1/subscription_items?subscription=%s",
            subscription->object.id));
}

static void render_cancellation(struct render *render, const struct subscription *subscription)
{
    struct json_writer *w = &render->writer;

    render_i64_or_null(render, "cancel_at", subscription->cancel_at_s);
    json_put_bool(w, "cancel_at_period_end", subscription->cancel_at_period_end);
    render_i64_or_null(render, "canceled_at", subscription->canceled_s);
    json_open_object(w, "cancellation_details");
    json_put_text(w, "comment", subscription->cancel_comment);
    json_put_text(w, "feedback", subscription->cancel_feedback);
    render_nulls(render, "feedback_option");
    json_put_text(w, "reason", subscription->cancel_reason);
    json_close_object(w);
    render_i64_or_null(render, "ended_at", subscription->ended_s);
}

static void render_pause(struct render *render, const struct subscription *subscription)
{
    struct json_writer *w = &render->writer;

    if (subscription->pause_collection == NULL) {
        json_put_null(w, "pause_collection");
    } else {
        json_open_object(w, "pause_collection");
        json_put_text(w, "behavior", subscription->pause_collection);
        render_i64_or_null(render, "resumes_at", subscription->pause_resumes_s);
        json_close_object(w);
    }
    if (subscription->paused_type != NULL) {
        json_open_object(w, "status_details");
        json_open_object(w, "paused");
        json_open_object(w, "subscription");
        json_put_text(w, "type", subscription->paused_type);
        json_close_object(w);
        json_put_i64(w, "transitioned_at", subscription->paused_s);
        json_put_text(w, "type", "subscription");
        json_close_object(w);
        json_close_object(w);
    }
}

static void render_settings(struct render *render, const struct subscription *subscription)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "automatic_tax");
    render_nulls(render, "disabled_reason");
    json_put_bool(w, "enabled", false);
    render_nulls(render, "liability");
    json_close_object(w);
    json_open_object(w, "billing_mode");
    if (subscription->flexible) {
        json_open_object(w, "flexible");
        json_put_text(w, "proration_discounts", "included");
        json_close_object(w);
    } else {
        json_put_null(w, "flexible");
    }
    json_put_text(w, "type", subscription->flexible ? "flexible" : "classic");
    json_close_object(w);
    json_open_object(w, "invoice_settings");
    render_nulls(render, "account_tax_ids custom_fields description footer");
    json_open_object(w, "issuer");
    json_put_text(w, "type", "self");
    json_close_object(w);
    json_close_object(w);
    json_open_object(w, "payment_settings");
    render_nulls(render, "payment_method_options payment_method_types");
    json_put_text(
        w,
        "save_default_payment_method",
        subscription->save_method == NULL ? "off" : subscription->save_method);
    json_close_object(w);
    json_open_object(w, "trial_settings");
    json_open_object(w, "end_behavior");
    render_nulls(render, "billing_cycle_anchor");
    json_put_text(w, "missing_payment_method", subscription->trial_without_method);
    json_close_object(w);
    json_close_object(w);
}

static void render_discounts(struct render *render, const struct subscription *subscription)
{
    struct json_writer *w = &render->writer;
    const struct discount *discount = &subscription->discount;

    json_open_array(w, "discounts");
    if (discount->id != NULL && !discount->used_up) {
        if (render_wants(render, "discounts")) {
            coupon_render_discount(
                render, subscription->customer->object.id, subscription->object.id, discount);
        } else {
            json_put_text(w, NULL, discount->id);
        }
    }
    json_close_array(w);
}

static void render_fee(struct render *render, const struct subscription *subscription)
{
    const long long fee = subscription->fee_hundredths;
    struct json_writer *w = &render->writer;

    json_put_text(
        w, "application", subscription->object.owner->object.owner == NULL ? NULL : "ca_simulated");
    if (fee == 0) {
        json_put_null(w, "application_fee_percent");
    } else {
        json_put_raw(
            w,
            "application_fee_percent",
            arena_printf(render->sim->cx->arena, "%lld.%02lld", fee / 100, fee % 100));
    }
}

void subscription_render(struct render *render, const struct object *object)
{
    const struct subscription *subscription = (const struct subscription *)object;
    struct json_writer *w = &render->writer;

    render_fee(render, subscription);
    json_put_i64(w, "billing_cycle_anchor", subscription->anchor_s);
    render_nulls(render, "billing_cycle_anchor_config");
    render_empty_arrays(render, "billing_schedules");
    render_nulls(render, "billing_thresholds");
    render_cancellation(render, subscription);
    json_put_text(
        w,
        "collection_method",
        subscription->send_invoice ? "send_invoice" : "charge_automatically");
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", subscription_currency(subscription));
    render_ref(render, "customer", subscription->customer);
    render_nulls(render, "customer_account");
    render_i64_or_null(render, "days_until_due", subscription->days_until_due);
    render_ref(render, "default_payment_method", subscription->default_payment_method);
    render_nulls(render, "default_source");
    render_empty_arrays(render, "default_tax_rates");
    json_put_text(w, "description", subscription->description);
    render_discounts(render, subscription);
    render_items(render, subscription);
    render_ref(render, "latest_invoice", subscription->latest_invoice);
    json_put_bool(w, "livemode", false);
    render_nulls(render, "managed_payments");
    metadata_render(render, "metadata", &subscription->metadata);
    render_nulls(render, "next_pending_invoice_item_invoice on_behalf_of");
    render_pause(render, subscription);
    render_nulls(render, "pending_invoice_item_interval pending_setup_intent pending_update");
    render_ref(render, "schedule", subscription->schedule);
    render_settings(render, subscription);
    json_put_i64(
        w,
        "start_date",
        subscription->backdate_s > 0 ? subscription->backdate_s : subscription->start_s);
    json_put_text(w, "status", subscription_status_word(subscription->status));
    render_ref(render, "test_clock", subscription->customer->test_clock);
    render_nulls(render, "transfer_data");
    render_i64_or_null(render, "trial_end", subscription->trial_end_s);
    render_i64_or_null(render, "trial_start", subscription->trial_start_s);
}
