#include "base/arena.h"
#include "stripe/stripe_subscription.h"
#include "stripe/stripe_value.h"

static void read_item(struct ctx *cx, json_value object, struct payment_subscription_item *ret_item)
{
    *ret_item = (struct payment_subscription_item){
        .id = json_text(cx, object, "id"),
        .price_id = stripe_value_reference(cx, object, "price"),
        .product_id = stripe_value_reference(cx, object, "price.product"),
        .quantity = json_i64(object, "quantity"),
        .period_start_us = stripe_value_time(object, "current_period_start"),
        .period_end_us = stripe_value_time(object, "current_period_end"),
    };
}

/* Items may run in different periods: what holds for all of them is the narrowest. */
void stripe_subscription_read_items(
    struct ctx *cx, json_value list, struct payment_subscription *subscription)
{
    const json_value data = json_get(list, "data");
    const size_t count = json_len(data);
    struct payment_subscription_item *items =
        arena_alloc(cx->arena, (count == 0 ? 1 : count) * sizeof *items);

    if (items == NULL) {
        return; /* the arena has failed, and whoever owns it sees that */
    }
    subscription->period_start_us = 0;
    subscription->period_end_us = 0;
    for (size_t i = 0; i < count; i++) {
        struct payment_subscription_item *item = &items[i];

        read_item(cx, json_item(data, i), item);
        if (item->period_start_us > subscription->period_start_us) {
            subscription->period_start_us = item->period_start_us;
        }
        if (i == 0 || item->period_end_us < subscription->period_end_us) {
            subscription->period_end_us = item->period_end_us;
        }
    }
    subscription->items = items;
    subscription->item_count = count;
}

static void read_times(json_value object, struct payment_subscription *subscription)
{
    subscription->pause_resumes_us = stripe_value_time(object, "pause_collection.resumes_at");
    subscription->cancel_at_us = stripe_value_time(object, "cancel_at");
    subscription->canceled_us = stripe_value_time(object, "canceled_at");
    subscription->ended_us = stripe_value_time(object, "ended_at");
    subscription->trial_start_us = stripe_value_time(object, "trial_start");
    subscription->trial_end_us = stripe_value_time(object, "trial_end");
    subscription->anchor_us = stripe_value_time(object, "billing_cycle_anchor");
    subscription->start_us = stripe_value_time(object, "start_date");
    subscription->created_us = stripe_value_time(object, "created");
}

void stripe_subscription_read(
    struct ctx *cx,
    json_value object,
    struct payment_subscription *ret_subscription,
    bool *ret_has_more)
{
    const char *status = json_text(cx, object, "status");

    *ret_subscription = (struct payment_subscription){
        .id = json_text(cx, object, "id"),
        .customer_id = stripe_value_reference(cx, object, "customer"),
        .status_text = status,
        .status = subscription_status_of_payment(status, SUBSCRIPTION_PENDING),
        .collection_method = json_text(cx, object, "collection_method"),
        .currency = stripe_value_currency(cx, object, "currency"),
        .latest_invoice_id = stripe_value_reference(cx, object, "latest_invoice"),
        .default_payment_method = stripe_value_reference(cx, object, "default_payment_method"),
        .schedule_id = stripe_value_reference(cx, object, "schedule"),
        .billing_mode = json_text(cx, object, "billing_mode.type"),
        .test_clock = stripe_value_reference(cx, object, "test_clock"),
        .pause_behavior = json_text(cx, object, "pause_collection.behavior"),
        .cancel_at_period_end = json_bool(object, "cancel_at_period_end"),
        .cancel_reason = json_text(cx, object, "cancellation_details.reason"),
        .cancel_feedback = json_text(cx, object, "cancellation_details.feedback"),
        .cancel_comment = json_text(cx, object, "cancellation_details.comment"),
        .days_until_due = json_i64(object, "days_until_due"),
        .live = json_bool(object, "livemode"),
        .marks = stripe_value_marks(cx, object, "metadata"),
        .raw = "",
    };
    read_times(object, ret_subscription);
    stripe_subscription_read_items(cx, json_get(object, "items"), ret_subscription);
    *ret_has_more = json_bool(object, "items.has_more");
}
