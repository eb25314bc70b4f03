#include "services/subscription_schedule.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "services/services.h"
#include "services/subscription_answer.h"
#include "services/subscription_guard.h"
#include "services/subscription_mirror.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/scheduled_change_store.h"
#include "store/subscription_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_schedule.h"
#include "stripe/stripe_subscription.h"

struct status
subscription_schedule_check(struct ctx *cx, struct tx *tx, const struct subscription *row)
{
    struct scheduled_change waiting;
    bool found = false;

    TRY(scheduled_change_store_find(cx, tx, &row->subscription_id, &found, &waiting));
    if (!found) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        subscription_with_id(cx, status_of(cx, REASON_SCHEDULED_CHANGE_EXISTS), row),
        "scheduled_change_id",
        id_text(cx->arena, ID_SCHEDULED_CHANGE, &waiting.change_id));
}

/* One drive of one intent. */
struct scheduling {
    struct services *services;
    struct intent *intent;
    const struct subscription_change_request *request;
    struct stripe_client *client;
    struct stripe_schedule schedule;
    struct payment_subscription there;
    int64_t fetch_number;
    struct intent stored;
};

/* *ret_given_up: nothing of it is left at the payment side, and it is not asked for any more. */
static struct status
make_schedule(struct ctx *cx, struct scheduling *scheduling, bool *ret_given_up)
{
    const struct subscription_change_request *request = scheduling->request;
    struct services *services = scheduling->services;
    struct intent *intent = scheduling->intent;
    struct status status;

    if (cx->now_us - intent->created_us > INTENTS_HORIZON_US) {
        *ret_given_up = true; /* what may be there lets go of the subscription with its period */
        return status_of(cx, REASON_PAYMENT_SIDE_UNAVAILABLE);
    }
    status = stripe_schedule_create(
        cx,
        scheduling->client,
        request->account_id,
        request->stripe_subscription_id,
        intents_key(cx, services, intent, "schedule"),
        &scheduling->schedule);
    *ret_given_up = status.code != CODE_OK && intents_absent(intent, status);
    TRY(status);
    status = stripe_schedule_set(
        cx,
        scheduling->client,
        request->account_id,
        &scheduling->schedule,
        (struct stripe_schedule_lines){request->before, request->before_count},
        (struct stripe_schedule_lines){request->after, request->after_count},
        intents_key(cx, services, intent, "phases"));
    if (status_reason(status) == REASON_PAYMENT_SIDE_REJECTED) {
        TRY(stripe_schedule_release(
            cx,
            scheduling->client,
            request->account_id,
            scheduling->schedule.id,
            intents_key(cx, services, intent, "release")));
        *ret_given_up = true;
    }
    return status;
}

static struct status read_there(struct ctx *cx, struct scheduling *scheduling)
{
    TRY(dirty_object_store_fetch_number(cx, scheduling->services->db, &scheduling->fetch_number));
    return stripe_subscription_retrieve(
        cx,
        scheduling->client,
        scheduling->request->account_id,
        scheduling->request->stripe_subscription_id,
        &scheduling->there);
}

static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    struct scheduling *scheduling = user;
    const struct subscription_change_request *request = scheduling->request;
    const struct scheduled_change change = {
        .change_id = scheduling->intent->intent_id,
        .subscription_id = scheduling->intent->subject_id,
        .plan_id = request->plan_id,
        .plan_version = request->plan_version,
        .price_id = request->price_id,
        .quantity = request->quantity,
        .effective_us = scheduling->schedule.end_us,
        .actor = scheduling->intent->actor,
        .account_id = request->account_id,
        .stripe_schedule_id = scheduling->schedule.id,
        .created_us = scheduling->intent->created_us,
    };
    struct subscription_applied applied;

    TRY(subscription_apply(
        cx, scheduling->services, tx, &scheduling->there, scheduling->fetch_number, &applied));
    if (!applied.known) {
        return status_fail(cx, REASON_INTERNAL, "the subscription that was changed is not ours");
    }
    TRY(scheduled_change_store_insert(cx, tx, &change));
    TRY(intents_done(
        cx,
        tx,
        scheduling->intent,
        subscription_answer_write(cx, &applied.subscription, &change),
        &scheduling->stored));
    failpoint("subscription_schedule.settling");
    return STATUS_OK;
}

static struct status forget(struct ctx *cx, struct tx *tx, void *user)
{
    const struct scheduling *scheduling = user;

    return intents_forget(cx, tx, scheduling->intent);
}

struct status subscription_schedule_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    const struct subscription_change_request *request,
    struct intent_result *ret_result)
{
    struct scheduling scheduling = {.services = services, .intent = intent, .request = request};
    struct status status;
    struct ctx settle_cx;
    bool given_up = false;

    TRY(services_payment_client(cx, services, &scheduling.client));
    status = make_schedule(cx, &scheduling, &given_up);
    failpoint("subscription_schedule.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(read_there(&settle_cx, &scheduling));
        TRY(tx_run(&settle_cx, services->db, settle, &scheduling));
        return intents_answer(cx, &scheduling.stored, ret_result);
    }
    if (given_up) {
        TRY(tx_run(&settle_cx, services->db, forget, &scheduling));
        ret_result->settled = true;
    }
    return status;
}

struct status scheduled_changes_list(
    struct ctx *cx,
    struct services *services,
    const struct scheduled_change_filter *filter,
    size_t max,
    struct scheduled_change **ret_changes,
    size_t *ret_count)
{
    struct subscription subscription;

    if (!id_is_zero(&filter->subscription_id)) {
        TRY(subscription_store_load(cx, services->db, &filter->subscription_id, &subscription));
    }
    return scheduled_change_store_list(cx, services->db, filter, max, ret_changes, ret_count);
}
