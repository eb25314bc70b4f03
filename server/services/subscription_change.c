#include "services/subscription_change.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "services/audit.h"
#include "services/payment_accounts.h"
#include "services/payment_decline.h"
#include "services/services.h"
#include "services/subscription_guard.h"
#include "services/subscription_mirror.h"
#include "services/subscription_schedule.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/subscription_preview_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_subscription.h"

/* As for new subscriptions: tries before the effect is looked for, and when no earlier one can be
 * under way any more. */
#define BLIND_ATTEMPTS_MAX 3
#define SETTLED_US (10 * US_PER_MINUTE)

#define LOOKS_MAX 3 /* at a state that a reader overtook */

/* What the claim works on. */
struct changing {
    const struct subscription_change_order *order;
    struct status account_status; /* told only when the call is no repeat */
    struct payment_account account;
};

/* Exactly what the preview said, while the subscription is what it was for. */
static struct status take_preview(
    struct ctx *cx,
    struct tx *tx,
    const struct subscription *row,
    const struct id *preview_id,
    struct subscription_change_request *ret_request)
{
    struct subscription_preview_row preview;

    TRY(subscription_preview_store_load(cx, tx, &row->subscription_id, preview_id, &preview));
    if (preview.subscription_version != row->version) {
        return subscription_preview_store_expired(cx, preview_id);
    }
    return subscription_change_read(cx, str_of(preview.request), ret_request);
}

static struct status find_request(
    struct ctx *cx,
    struct tx *tx,
    const struct changing *changing,
    const struct subscription *row,
    struct subscription_change_request *ret_request)
{
    const struct subscription_change_order *order = changing->order;
    struct subscription_target target;

    if (!id_is_zero(&order->preview_id)) {
        return take_preview(cx, tx, row, &order->preview_id, ret_request);
    }
    TRY(subscription_target(cx, tx, row, changing->account.account_id, &order->wish, &target));
    *ret_request = target.request;
    return STATUS_OK;
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct changing *changing = user;
    const struct subscription_change_order *order = changing->order;
    struct subscription_change_request request = {.item_count = 0};
    struct subscription row;

    (void)services;
    TRY(subscription_guard(cx, tx, intent, &order->subscription_id, order->etag, &row));
    TRY(find_request(cx, tx, changing, &row, &request));
    TRY(subscription_schedule_check(cx, tx, &row));
    if (request.timing == CHANGE_TIMING_AT_PERIOD_END &&
        (row.cancel_at_period_end || row.cancel_at_us != 0)) {
        return subscription_refused(
            cx, &row, REASON_SUBSCRIPTION_STATE_INVALID); /* it has no next period */
    }
    TRY(changing->account_status);
    intent->subject_id = row.subscription_id;
    intent->request = subscription_change_write(cx, &request);
    return audit_add(
        cx, tx, "subscription", id_text(cx->arena, ID_SUBSCRIPTION, &row.subscription_id), NULL);
}

struct status subscriptions_change(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_change_order *order,
    struct subscription_answer *ret_answer)
{
    struct changing changing = {.order = order};
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = subscriptions_change_drive,
        .user = &changing,
    };
    struct str answer = {"", 0};
    bool replayed = false;

    changing.account_status = payment_accounts_require(cx, services, &changing.account);
    if (changing.account_status.code == CODE_UNAVAILABLE) {
        return changing.account_status;
    }
    TRY(intents_run(cx, services, &call, &answer, &replayed));
    return subscription_answer_read(cx, answer, ret_answer);
}

/* One drive of one intent. */
struct change {
    struct services *services;
    struct intent *intent;
    struct subscription_change_request request;
    struct stripe_client *client;
    struct payment_subscription changed;
    int64_t fetch_number;
    struct status failure; /* when it is given up */
    bool overtaken;        /* somebody has written what he read later, or maybe not later enough */
    struct intent stored;
};

/* Whether an earlier try came through: the items are what they should be. */
static struct status look_for_it(struct ctx *cx, struct change *change, bool *ret_made)
{
    TRY(dirty_object_store_fetch_number(cx, change->services->db, &change->fetch_number));
    TRY(stripe_subscription_retrieve(
        cx,
        change->client,
        change->request.account_id,
        change->request.stripe_subscription_id,
        &change->changed));
    *ret_made = subscription_change_made(&change->request, &change->changed);
    return STATUS_OK;
}

/* The effect, by asking for it or by finding it. *ret_given_up: it is known to be absent and is not
 * asked for any more. */
static struct status call_payment_side(struct ctx *cx, struct change *change, bool *ret_given_up)
{
    struct intent *intent = change->intent;
    const struct stripe_subscription_change there = subscription_change_there(&change->request);
    const int64_t age_us = cx->now_us - intent->created_us;
    struct status status;
    bool made = false;

    *ret_given_up = false;
    TRY(services_payment_client(cx, change->services, &change->client));
    if (age_us > INTENTS_HORIZON_US ||
        (intent->attempts >= BLIND_ATTEMPTS_MAX && age_us > SETTLED_US)) {
        TRY(look_for_it(cx, change, &made));
        if (made) {
            return STATUS_OK;
        }
        if (age_us > INTENTS_HORIZON_US) {
            *ret_given_up = true;
            return status_of(cx, REASON_PAYMENT_SIDE_UNAVAILABLE);
        }
        TRY(intents_next_generation(cx, change->services, intent));
    }
    TRY(dirty_object_store_fetch_number(cx, change->services->db, &change->fetch_number));
    status = stripe_subscription_change(
        cx,
        change->client,
        change->request.account_id,
        change->request.stripe_subscription_id,
        &there,
        intents_key(cx, change->services, intent, "change"),
        &change->changed);
    *ret_given_up = status_reason(status) == REASON_PAYMENT_DECLINED ||
                    (status.code != CODE_OK && intents_absent(intent, status));
    return status;
}

static struct status mark_invoice(struct ctx *cx, struct tx *tx, const char *invoice_id)
{
    const struct dirty_object invoice = {
        .org_id = cx->caller.org_id,
        .object_type = "invoice",
        .object_id = invoice_id,
        .first_seen_us = cx->now_us,
    };

    return invoice_id[0] == '\0' ? STATUS_OK : dirty_object_store_mark(cx, tx, &invoice, 1);
}

static struct status settle_made(struct ctx *cx, struct tx *tx, void *user)
{
    struct change *change = user;
    struct subscription_applied applied;

    TRY(subscription_apply(
        cx, change->services, tx, &change->changed, change->fetch_number, &applied));
    if (!applied.known) {
        return status_fail(cx, REASON_INTERNAL, "the subscription that was changed is not ours");
    }
    change->overtaken = applied.older;
    if (applied.older) {
        return STATUS_OK;
    }
    TRY(mark_invoice(cx, tx, change->changed.latest_invoice_id));
    TRY(intents_done(
        cx,
        tx,
        change->intent,
        subscription_answer_write(cx, &applied.subscription, NULL),
        &change->stored));
    failpoint("subscription_change.settling");
    return STATUS_OK;
}

/* A reader whose number is higher than that of the call may have read before the call took effect,
 * so what is there when the answer is known is read once more. */
static struct status settle(struct ctx *cx, struct change *change)
{
    bool made = false;

    TRY(tx_run(cx, change->services->db, settle_made, change));
    for (int looks = 0; change->overtaken && looks < LOOKS_MAX; looks++) {
        TRY(look_for_it(cx, change, &made));
        TRY(tx_run(cx, change->services->db, settle_made, change));
    }
    return change->overtaken ? status_of(cx, REASON_OUTCOME_PENDING) : STATUS_OK;
}

/* A decline is the answer to every repeat; anything else may be asked for again. */
static struct status settle_failed(struct ctx *cx, struct tx *tx, void *user)
{
    const struct change *change = user;

    return status_reason(change->failure) == REASON_PAYMENT_DECLINED
               ? intents_failed(cx, tx, change->intent, change->failure)
               : intents_forget(cx, tx, change->intent);
}

/* What callers are told: in the words of our own API where it has them. */
static struct status told(struct ctx *cx, const struct change *change, struct status failure)
{
    const struct payment_error *error =
        change->client == NULL ? NULL : stripe_client_error(change->client);

    if (error == NULL) {
        return failure;
    }
    if (status_reason(failure) == REASON_PAYMENT_DECLINED) {
        return payment_decline(
            cx, error, id_text(cx->arena, ID_SUBSCRIPTION, &change->intent->subject_id));
    }
    if (status_reason(failure) == REASON_PAYMENT_SIDE_REJECTED && error->param[0] == '\0' &&
        strcmp(error->code, "resource_missing") == 0) {
        return status_pair(
            cx,
            status_of(cx, REASON_PAYMENT_METHOD_MISSING),
            "subscription_id",
            id_text(cx->arena, ID_SUBSCRIPTION, &change->intent->subject_id));
    }
    return failure;
}

struct status subscriptions_change_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct change change = {.services = services, .intent = intent};
    struct status status;
    struct ctx settle_cx;
    bool given_up = false;

    failpoint("subscription_change.claimed");
    TRY(subscription_change_read(cx, intent->request, &change.request));
    if (change.request.timing == CHANGE_TIMING_AT_PERIOD_END) {
        return subscription_schedule_drive(cx, services, intent, &change.request, ret_result);
    }
    status = call_payment_side(cx, &change, &given_up);
    failpoint("subscription_change.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(settle(&settle_cx, &change));
        failpoint("subscription_change.settled");
        if (services->wake_webhooks != NULL) {
            services->wake_webhooks(services->wake_user); /* for the invoice */
        }
        return intents_answer(cx, &change.stored, ret_result);
    }
    if (!given_up) {
        return status;
    }
    change.failure = told(cx, &change, status);
    TRY(tx_run(&settle_cx, services->db, settle_failed, &change));
    log_info(
        cx,
        "change of a subscription failed",
        LOG_ID("subscription", ID_SUBSCRIPTION, &intent->subject_id),
        LOG_STATUS(change.failure));
    ret_result->settled = true;
    return change.failure;
}
