#include "services/subscriptions.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "services/audit.h"
#include "services/catalog_mirror.h"
#include "services/offer_choice.h"
#include "services/payment_accounts.h"
#include "services/services.h"
#include "services/subscription_mirror.h"
#include "services/subscription_request.h"
#include "services/subscription_snapshot.h"
#include "store/db.h"
#include "store/offer_store.h"
#include "store/subscriber_store.h"
#include "store/subscription_item_store.h"

/* What the claim of a new subscription works on. */
struct placing {
    const struct subscription_order *order;
    struct status account_status; /* told only when the call is no repeat */
    struct payment_account account;
    struct subscriber subscriber;
    struct offer offer;
    const struct offer_price *price;
    bool unmirrored; /* that is what the claim failed for */
};

static struct status
with_customer(struct ctx *cx, struct status status, const struct placing *placing)
{
    return status_pair(
        cx,
        status,
        "customer_id",
        id_text(cx->arena, ID_CUSTOMER, &placing->subscriber.customer_id));
}

static struct status with_plan(struct ctx *cx, struct status status, const struct placing *placing)
{
    return status_pair(cx, status, "plan_id", id_text(cx->arena, ID_PLAN, &placing->offer.plan_id));
}

static struct status find_what_is_sold(struct ctx *cx, struct tx *tx, struct placing *placing)
{
    const struct subscription_order *order = placing->order;
    const struct offer_wish wish = {
        .price_id = order->price_id,
        .interval = order->interval,
        .currency = order->currency,
        .customer_currency = placing->subscriber.currency,
        .quantity = order->quantity,
    };

    TRY(offer_store_load(
        cx, tx, order->plan_id, order->plan_key, order->plan_version, &placing->offer));
    if (placing->offer.archived) {
        return with_plan(cx, status_of(cx, REASON_PLAN_ARCHIVED), placing);
    }
    if (!placing->offer.published) {
        return with_plan(cx, status_of(cx, REASON_PLAN_NOT_PUBLISHED), placing);
    }
    if (placing->offer.addon) {
        return status_field(cx, "plan", "is an add-on, which is sold along with a plan only");
    }
    return offer_choose(cx, &placing->offer, &wish, &placing->price);
}

/* One subscription to a plan at a time, one trial of it ever; the customer is locked. */
static struct status
check_history(struct ctx *cx, struct tx *tx, const struct placing *placing, int64_t trial_days)
{
    const struct subscription_order *order = placing->order;
    struct subscription_history history;

    TRY(subscription_store_history(
        cx, tx, &placing->subscriber.customer_id, &placing->offer.plan_id, &history));
    if (!id_is_zero(&history.live_id) && !order->allow_multiple) {
        return with_plan(
            cx,
            status_pair(
                cx,
                status_of(cx, REASON_SUBSCRIPTION_EXISTS),
                "subscription_id",
                id_text(cx->arena, ID_SUBSCRIPTION, &history.live_id)),
            placing);
    }
    if (history.had_trial && !order->trial_given && trial_days > 0) {
        return with_plan(
            cx, with_customer(cx, status_of(cx, REASON_TRIAL_ALREADY_USED), placing), placing);
    }
    if (placing->offer.trial_needs_payment_method && trial_days > 0 &&
        order->payment_method_id[0] == '\0') {
        return with_customer(cx, status_of(cx, REASON_PAYMENT_METHOD_MISSING), placing);
    }
    return STATUS_OK;
}

static struct subscription_request
request_of(struct ctx *cx, const struct placing *placing, int64_t trial_days)
{
    const struct subscription_order *order = placing->order;
    const struct offer *offer = &placing->offer;
    struct subscription_request request = {
        .account_id = placing->account.account_id,
        .org_id = id_text(cx->arena, ID_ORGANIZATION, &cx->caller.org),
        .customer_id = placing->subscriber.customer_id,
        .customer_name = placing->subscriber.name,
        .customer_email = placing->subscriber.email,
        .trial_end_us = order->trial_end_us,
        .trial_days = order->trial_end_us != 0 ? 0 : trial_days,
        .trial_end_behavior =
            trial_days > 0 || order->trial_end_us != 0 ? order->trial_end_behavior : "",
        .payment_method_id = order->payment_method_id,
        .payment_behavior = order->by_invoice         ? ""
                            : order->allow_incomplete ? "allow_incomplete"
                                                      : "error_if_incomplete",
        .by_invoice = order->by_invoice,
        .days_until_due = order->by_invoice ? order->days_until_due : 0,
        .application_fee_bps = offer->application_fee_bps != 0
                                   ? offer->application_fee_bps
                                   : placing->account.application_fee_bps,
    };

    request.lines[request.line_count++] = (struct subscription_request_line){
        placing->price->stripe_price_id, placing->price->metered ? 0 : order->quantity};
    for (size_t i = 0; i < offer->price_count; i++) {
        if (request.line_count < SUBSCRIPTION_ITEMS_MAX &&
            offer_goes_along(placing->price, &offer->prices[i])) {
            request.lines[request.line_count++] =
                (struct subscription_request_line){offer->prices[i].stripe_price_id, 0};
        }
    }
    return request;
}

static struct status insert_pending(
    struct ctx *cx, struct tx *tx, const struct placing *placing, struct subscription *ret_row)
{
    *ret_row = (struct subscription){
        .subscription_id = id_new(cx->now_us),
        .customer_id = placing->subscriber.customer_id,
        .external_customer_id = placing->subscriber.external_id,
        .status = SUBSCRIPTION_PENDING,
        .plan_id = placing->offer.plan_id,
        .plan_key = placing->offer.plan_key,
        .plan_version = placing->offer.plan_version,
        .price_id = placing->price->price_id,
        .quantity = placing->price->metered ? 1 : placing->order->quantity,
        .currency = placing->price->currency,
        .failure_reason = "",
        .decline_code = "",
        .stripe_subscription_id = "",
        .cancel_reason = "",
        .cancel_feedback = "",
        .cancel_comment = "",
        .collection_pause = "",
        .trial_end_behavior = "",
        .metadata = placing->order->metadata,
        .version = 1,
        .created_us = cx->now_us,
        .updated_us = cx->now_us,
    };
    TRY(subscription_store_insert(cx, tx, ret_row));
    return subscription_tell(cx, tx, EVENT_SUBSCRIPTION_CREATED, ret_row, NULL);
}

static struct status prepare_create(
    struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    struct placing *placing = user;
    const struct subscription_order *order = placing->order;
    const char *subscription_text = NULL;
    struct subscription_request request;
    struct subscription row;
    struct status mirrored;
    int64_t trial_days = 0;

    (void)services;
    placing->unmirrored = false;
    TRY(subscriber_store_lock(
        cx, tx, order->customer.customer_id, order->customer.external_id, &placing->subscriber));
    if (placing->subscriber.archived) {
        return with_customer(cx, status_of(cx, REASON_CUSTOMER_ARCHIVED), placing);
    }
    TRY(find_what_is_sold(cx, tx, placing));
    trial_days = order->trial_given ? order->trial_days : placing->offer.trial_days;
    TRY(check_history(cx, tx, placing, trial_days));
    TRY(placing->account_status);
    mirrored = offer_check_mirrored(cx, &placing->offer, placing->price);
    placing->unmirrored = mirrored.code != CODE_OK;
    TRY(mirrored);
    TRY(insert_pending(cx, tx, placing, &row));
    request = request_of(cx, placing, trial_days);
    intent->subject_id = row.subscription_id;
    intent->request = subscription_request_write(cx, &request);
    subscription_text = id_text(cx->arena, ID_SUBSCRIPTION, &row.subscription_id);
    return audit_add(cx, tx, "subscription", subscription_text, NULL);
}

struct status subscriptions_create(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_order *order,
    struct subscription *ret_subscription)
{
    struct placing placing = {.order = order};
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare_create,
        .drive = subscriptions_create_drive,
        .user = &placing,
    };
    struct str answer = {"", 0};
    struct status status;
    bool replayed = false;

    placing.account_status = payment_accounts_require(cx, services, &placing.account);
    if (placing.account_status.code == CODE_UNAVAILABLE) {
        return placing.account_status;
    }
    status = intents_run(cx, services, &call, &answer, &replayed);
    if (placing.unmirrored) { /* the claim was undone: nothing has happened yet */
        TRY(catalog_mirror(
            cx,
            services,
            &placing.offer.plan_id,
            placing.offer.plan_version,
            placing.account.account_id));
        status = intents_run(cx, services, &call, &answer, &replayed);
    }
    TRY(status);
    return subscription_snapshot_read(
        cx, arena_text_n(cx->arena, answer.ptr, answer.len), ret_subscription);
}

struct status subscriptions_get(
    struct ctx *cx,
    struct services *services,
    const struct id *subscription_id,
    struct subscription *ret_subscription)
{
    TRY(subscription_store_load(cx, services->db, subscription_id, ret_subscription));
    return subscription_item_store_load(cx, services->db, NULL, ret_subscription, 1);
}

struct status subscriptions_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct subscription_filter *filter,
    size_t max,
    struct subscription **ret_subscriptions,
    size_t *ret_count)
{
    if (customer != NULL) {
        struct subscriber subscriber;

        TRY(subscriber_store_load(
            cx, services->db, customer->customer_id, customer->external_id, &subscriber));
        filter->customer_id = subscriber.customer_id;
    }
    if (!id_is_zero(&filter->plan_id)) {
        const char *plan = id_text(cx->arena, ID_PLAN, &filter->plan_id);
        bool exists = false;

        TRY(offer_store_plan_exists(cx, services->db, &filter->plan_id, &exists));
        if (!exists) {
            return status_pair(
                cx,
                status_fail(cx, REASON_PLAN_NOT_FOUND, "plan \"%s\" does not exist", plan),
                "plan_id",
                plan);
        }
    }
    TRY(subscription_store_list(cx, services->db, filter, max, ret_subscriptions, ret_count));
    return subscription_item_store_load(cx, services->db, NULL, *ret_subscriptions, *ret_count);
}
