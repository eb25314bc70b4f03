#include "services/subscription_mirror.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "services/entitlements.h"
#include "services/subscription_snapshot.h"
#include "store/db.h"
#include "store/event_log.h"
#include "store/intent_upkeep_store.h"
#include "store/offer_store.h"
#include "store/scheduled_change_store.h"
#include "store/subscriber_store.h"
#include "store/subscription_item_store.h"
#include "store/subscription_store.h"

/* What is read, matched with what we sell. */
struct sighting {
    const struct payment_subscription *payment;
    struct offer_match matches[SUBSCRIPTION_ITEMS_MAX];
    size_t item_count;
};

struct status subscription_tell(
    struct ctx *cx,
    struct tx *tx,
    enum event_type type,
    const struct subscription *subscription,
    const char *old_status)
{
    const struct event event = {
        .type = type,
        .customer_id = subscription->customer_id,
        .subscription_id = subscription->subscription_id,
        .payload = subscription_snapshot_write(cx, subscription, old_status),
    };

    return event_log_add(cx, tx, &event);
}

static struct status match_items(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_subscription *payment,
    struct sighting *ret_sighting)
{
    const char *price_ids[SUBSCRIPTION_ITEMS_MAX];

    ret_sighting->payment = payment;
    ret_sighting->item_count =
        payment->item_count < SUBSCRIPTION_ITEMS_MAX ? payment->item_count : SUBSCRIPTION_ITEMS_MAX;
    for (size_t i = 0; i < ret_sighting->item_count; i++) {
        price_ids[i] = payment->items[i].price_id;
    }
    return offer_store_match(cx, tx, price_ids, ret_sighting->item_count, ret_sighting->matches);
}

/* The item that stands for the plan: the price we know it by, else a licensed one of a base plan,
 * else any of ours. -1: none of them is ours. */
static int base_item(const struct sighting *sighting, const struct id *price_id)
{
    int best = -1;
    int best_rank = 0;

    for (size_t i = 0; i < sighting->item_count; i++) {
        const struct offer_match *match = &sighting->matches[i];
        int rank = 0;

        if (match->known) {
            rank = id_equal(&match->price_id, price_id) ? 4
                   : !match->metered && !match->addon   ? 3
                   : !match->addon                      ? 2
                                                        : 1;
        }
        if (rank > best_rank) {
            best = (int)i;
            best_rank = rank;
        }
    }
    return best;
}

/* Made outside: a row of ours for it, PENDING for the moment. */
static struct status adopt(
    struct ctx *cx,
    struct tx *tx,
    const struct sighting *sighting,
    bool *ret_known,
    struct subscription *ret_row)
{
    static const struct id no_price = {{0}};
    const struct payment_subscription *payment = sighting->payment;
    const int base = base_item(sighting, &no_price);
    struct subscription row = {
        .subscription_id = id_new(cx->now_us),
        .status = SUBSCRIPTION_PENDING,
        .quantity = 1,
        .stripe_subscription_id = payment->id,
        .metadata = "{}",
        .created_us = payment->created_us,
    };

    TRY(subscriber_store_find_stripe(cx, tx, payment->customer_id, &row.customer_id));
    if (base < 0 || id_is_zero(&row.customer_id)) {
        *ret_known = false;
        return STATUS_OK;
    }
    row.plan_id = sighting->matches[base].plan_id;
    row.plan_version = sighting->matches[base].plan_version;
    row.price_id = sighting->matches[base].price_id;
    TRY(subscription_store_insert(cx, tx, &row));
    TRY(subscription_store_lock_stripe(cx, tx, payment->id, ret_row));
    *ret_known = true;
    return id_equal(&ret_row->subscription_id, &row.subscription_id)
               ? subscription_tell(cx, tx, EVENT_SUBSCRIPTION_CREATED, ret_row, NULL)
               : STATUS_OK; /* somebody else was faster */
}

static struct status find_row(
    struct ctx *cx,
    struct tx *tx,
    const struct sighting *sighting,
    bool *ret_known,
    struct subscription *ret_row)
{
    const struct payment_subscription *payment = sighting->payment;
    struct status status = subscription_store_lock_stripe(cx, tx, payment->id, ret_row);
    struct id marked;

    *ret_known = true;
    if (status_reason(status) == REASON_SUBSCRIPTION_NOT_FOUND &&
        id_parse(ID_SUBSCRIPTION, payment->marks.object_id, &marked)) {
        status = subscription_store_lock(cx, tx, &marked, ret_row);
        if (status.code == CODE_OK && ret_row->stripe_subscription_id[0] != '\0' &&
            strcmp(ret_row->stripe_subscription_id, payment->id) != 0) {
            /* The mark was copied to a second one, which is not this row. When the ids are the same
             * somebody else has just written it there. */
            return adopt(cx, tx, sighting, ret_known, ret_row);
        }
    }
    if (status_reason(status) == REASON_SUBSCRIPTION_NOT_FOUND) {
        return adopt(cx, tx, sighting, ret_known, ret_row);
    }
    return status;
}

static enum subscription_status next_status(
    struct ctx *cx, const struct subscription *row, const struct payment_subscription *payment)
{
    const enum subscription_status said =
        subscription_status_of_payment(payment->status_text, row->status);

    if (subscription_move(row->status, said) != MOVE_REFUSED) {
        return said;
    }
    log_warn(
        cx,
        "the payment side revives a subscription that has ended, ignoring",
        LOG_ID("subscription", ID_SUBSCRIPTION, &row->subscription_id),
        LOG_TEXT("from", subscription_status_name(row->status)),
        LOG_TEXT("to", payment->status_text));
    return row->status;
}

static struct subscription
next_state(struct ctx *cx, const struct subscription *row, const struct sighting *sighting)
{
    const struct payment_subscription *payment = sighting->payment;
    const int base = base_item(sighting, &row->price_id);
    struct subscription next = *row;

    next.status = next_status(cx, row, payment);
    next.stripe_subscription_id = payment->id;
    next.trial_start_us = payment->trial_start_us;
    next.trial_end_us = payment->trial_end_us;
    next.period_start_us = payment->period_start_us;
    next.period_end_us = payment->period_end_us;
    next.anchor_us = payment->anchor_us;
    next.cancel_at_period_end = payment->cancel_at_period_end;
    next.cancel_at_us = payment->cancel_at_us;
    next.canceled_us = payment->canceled_us;
    next.ended_us = payment->ended_us;
    next.collection_paused = payment->pause_behavior[0] != '\0';
    next.collection_pause = payment->pause_behavior;
    next.collection_resume_us = payment->pause_resumes_us;
    next.by_invoice = strcmp(payment->collection_method, "send_invoice") == 0;
    next.past_due_since_us =
        subscription_past_due_since(next.status, row->past_due_since_us, cx->now_us);
    if (next.status == SUBSCRIPTION_ACTIVE || next.status == SUBSCRIPTION_TRIALING) {
        next.failure_reason = "";
        next.decline_code = "";
    }
    if (base >= 0) {
        const struct offer_match *match = &sighting->matches[base];
        const struct payment_subscription_item *item = &payment->items[base];

        next.plan_id = match->plan_id;
        next.plan_version = match->plan_version;
        next.price_id = match->price_id;
        next.quantity = match->metered || item->quantity < 1 ? 1 : item->quantity;
        next.period_start_us = item->period_start_us;
        next.period_end_us = item->period_end_us;
    } else {
        log_warn(
            cx,
            "a subscription is sold under prices that are none of ours, its plan stays",
            LOG_ID("subscription", ID_SUBSCRIPTION, &row->subscription_id));
    }
    return next;
}

/* What a reader can see. */
static bool differs(const struct subscription *a, const struct subscription *b)
{
    return a->status != b->status || !id_equal(&a->plan_id, &b->plan_id) ||
           a->plan_version != b->plan_version || !id_equal(&a->price_id, &b->price_id) ||
           a->quantity != b->quantity || a->trial_start_us != b->trial_start_us ||
           a->trial_end_us != b->trial_end_us || a->period_start_us != b->period_start_us ||
           a->period_end_us != b->period_end_us ||
           a->cancel_at_period_end != b->cancel_at_period_end ||
           a->cancel_at_us != b->cancel_at_us || a->canceled_us != b->canceled_us ||
           a->ended_us != b->ended_us || a->past_due_since_us != b->past_due_since_us ||
           a->collection_paused != b->collection_paused || a->by_invoice != b->by_invoice ||
           strcmp(a->collection_pause, b->collection_pause) != 0 ||
           a->collection_resume_us != b->collection_resume_us ||
           strcmp(a->failure_reason, b->failure_reason) != 0 ||
           strcmp(a->decline_code, b->decline_code) != 0 ||
           strcmp(a->stripe_subscription_id, b->stripe_subscription_id) != 0;
}

static struct status write_items(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const struct sighting *sighting)
{
    struct subscription_item_row rows[SUBSCRIPTION_ITEMS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < sighting->item_count; i++) {
        const struct payment_subscription_item *item = &sighting->payment->items[i];
        const char *name = arena_printf(
            cx->arena, "%s %s", id_text(cx->arena, ID_SUBSCRIPTION, subscription_id), item->id);

        if (sighting->matches[i].known) {
            rows[count++] = (struct subscription_item_row){
                .item =
                    {
                        .item_id = id_derived(name, strlen(name)),
                        .price_id = sighting->matches[i].price_id,
                        .quantity = sighting->matches[i].metered ? 0 : item->quantity,
                    },
                .stripe_item_id = item->id,
                .period_start_us = item->period_start_us,
                .period_end_us = item->period_end_us,
            };
        }
    }
    return subscription_item_store_replace(cx, tx, subscription_id, rows, count);
}

/* What follows from the change, in the same transaction. */
static struct status follow_up(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    enum subscription_status old_status,
    const struct subscription *now,
    bool changed)
{
    enum event_type type = EVENT_SUBSCRIPTION_UPDATED;

    if (subscription_event(old_status, now->status, changed, &type)) {
        TRY(subscription_tell(cx, tx, type, now, subscription_status_name(old_status)));
    }
    if (changed) {
        TRY(scheduled_change_store_observe(cx, tx, now));
        TRY(entitlements_rebuild(cx, services, tx, &now->customer_id));
    }
    if (old_status != SUBSCRIPTION_PENDING) {
        return STATUS_OK;
    }
    return intent_upkeep_store_complete(
        cx,
        tx,
        &now->subscription_id,
        SUBSCRIPTION_CREATE_METHOD,
        str_of(subscription_snapshot_write(cx, now, NULL)));
}

struct status subscription_apply(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct payment_subscription *payment,
    int64_t fetch_number,
    struct subscription_applied *ret_applied)
{
    struct subscription_applied applied = {.known = false};
    struct subscription *now = &applied.subscription;
    struct sighting sighting;
    struct subscription row;
    struct subscription next;
    bool changed = false;

    TRY(match_items(cx, tx, payment, &sighting));
    TRY(find_row(cx, tx, &sighting, &applied.known, &row));
    if (!applied.known) {
        *ret_applied = applied;
        return STATUS_OK;
    }
    applied.older = fetch_number <= row.fetch_number;
    if (!applied.older) {
        next = next_state(cx, &row, &sighting);
        next.fetch_number = fetch_number;
        changed = differs(&row, &next);
        TRY(subscription_store_write(cx, tx, &next, payment->raw, changed));
        TRY(write_items(cx, tx, &row.subscription_id, &sighting));
    }
    TRY(subscription_store_lock(cx, tx, &row.subscription_id, now));
    TRY(subscription_item_store_load(cx, NULL, tx, now, 1));
    if (!applied.older) {
        TRY(follow_up(cx, services, tx, row.status, now, changed));
    }
    *ret_applied = applied;
    return STATUS_OK;
}

struct status subscription_give_up(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    enum reason reason,
    const char *decline_code)
{
    struct subscription row;

    TRY(subscription_store_lock(cx, tx, subscription_id, &row));
    if (row.status != SUBSCRIPTION_PENDING) {
        return STATUS_OK;
    }
    TRY(subscription_store_fail(cx, tx, subscription_id, reason_name(reason), decline_code));
    row.status = SUBSCRIPTION_FAILED;
    row.failure_reason = reason_name(reason);
    row.decline_code = decline_code;
    return subscription_tell(
        cx, tx, EVENT_SUBSCRIPTION_FAILED, &row, subscription_status_name(SUBSCRIPTION_PENDING));
}
