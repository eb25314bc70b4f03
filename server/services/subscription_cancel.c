#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/payment_accounts.h"
#include "services/services.h"
#include "services/subscription_guard.h"
#include "services/subscription_mirror.h"
#include "services/subscription_snapshot.h"
#include "services/subscriptions.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/scheduled_change_store.h"
#include "store/subscription_item_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_schedule.h"
#include "stripe/stripe_subscription.h"

#define REQUEST_BYTES_MAX ((size_t)16 * 1024)

/* What is to be done at the payment side, as it stands in the request of the intent. */
#define VERB_CANCEL_NOW "cancel_now"
#define VERB_CANCEL_AT_PERIOD_END "cancel_at_period_end"
#define VERB_KEEP "keep"
#define VERB_NOTHING "nothing" /* it is so already */

struct ending {
    const struct subscription_end *end;
    bool undo;
    struct status account_status;
    struct payment_account account;
};

static const char *verb_of(const struct ending *ending, const struct subscription *row)
{
    if (ending->undo) {
        return row->cancel_at_period_end || row->cancel_at_us != 0 ? VERB_KEEP : VERB_NOTHING;
    }
    if (subscription_status_ended(row->status)) {
        return VERB_NOTHING;
    }
    if (ending->end->at_period_end) {
        return row->cancel_at_period_end ? VERB_NOTHING : VERB_CANCEL_AT_PERIOD_END;
    }
    return VERB_CANCEL_NOW;
}

static struct str request_text(
    struct ctx *cx,
    const struct ending *ending,
    const struct subscription *row,
    const char *verb,
    const char *schedule_id)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "verb", verb);
    json_put_text(&writer, "account_id", ending->account.account_id);
    json_put_text(&writer, "stripe_subscription_id", row->stripe_subscription_id);
    json_put_text(&writer, "schedule_id", schedule_id);
    json_put_text(&writer, "feedback", ending->end->feedback);
    json_put_text(&writer, "comment", ending->end->comment);
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

/* The schedule of a change would keep the payment side from ending it at the end of the period. */
static struct status find_schedule(
    struct ctx *cx,
    struct tx *tx,
    const struct subscription *row,
    const char *verb,
    const char **ret_schedule_id)
{
    struct scheduled_change waiting;
    bool found = false;

    if (strcmp(verb, VERB_CANCEL_AT_PERIOD_END) != 0) {
        return STATUS_OK;
    }
    TRY(scheduled_change_store_find_holder(cx, tx, &row->subscription_id, &found, &waiting));
    *ret_schedule_id = found ? waiting.stripe_schedule_id : "";
    return STATUS_OK;
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct ending *ending = user;
    struct audit_changes changes = {0};
    struct subscription row;
    const char *verb = NULL;
    const char *schedule_id = "";

    (void)services;
    TRY(subscription_guard(cx, tx, intent, &ending->end->subscription_id, ending->end->etag, &row));
    if (row.status == SUBSCRIPTION_FAILED || row.status == SUBSCRIPTION_PENDING ||
        (ending->undo && subscription_status_ended(row.status))) {
        return subscription_state_invalid(cx, &row);
    }
    verb = verb_of(ending, &row);
    if (strcmp(verb, VERB_NOTHING) != 0) {
        TRY(ending->account_status);
    }
    intent->subject_id = row.subscription_id;
    TRY(find_schedule(cx, tx, &row, verb, &schedule_id));
    intent->request = request_text(cx, ending, &row, verb, schedule_id);
    audit_note(&changes, "verb", "", verb);
    return audit_add(
        cx,
        tx,
        "subscription",
        id_text(cx->arena, ID_SUBSCRIPTION, &row.subscription_id),
        &changes);
}

static struct status end_or_keep(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    struct ending *ending,
    struct subscription *ret_subscription)
{
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = subscriptions_cancel_drive,
        .user = ending,
    };
    struct str answer = {"", 0};
    bool replayed = false;

    /* What cannot take payments any more can still stop asking for them. */
    ending->account_status = payment_accounts_get(cx, services, &ending->account);
    if (ending->account_status.code == CODE_UNAVAILABLE) {
        return ending->account_status;
    }
    TRY(intents_run(cx, services, &call, &answer, &replayed));
    return subscription_snapshot_read(
        cx, arena_text_n(cx->arena, answer.ptr, answer.len), ret_subscription);
}

struct status subscriptions_cancel(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_end *end,
    struct subscription *ret_subscription)
{
    struct ending ending = {.end = end};

    return end_or_keep(cx, services, keyed, &ending, ret_subscription);
}

struct status subscriptions_undo_cancel(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_end *end,
    struct subscription *ret_subscription)
{
    struct ending ending = {.end = end, .undo = true};

    return end_or_keep(cx, services, keyed, &ending, ret_subscription);
}

/* One drive of one intent. */
struct change {
    struct services *services;
    const struct intent *intent;
    bool nothing;         /* there is nothing to do at the payment side */
    const char *schedule; /* that had to let go of it first; "" = none */
    struct payment_subscription changed;
    int64_t fetch_number;
    struct intent stored;
};

static void release_json(struct json **json)
{
    json_free(*json);
}

static struct status call_payment_side(struct ctx *cx, struct change *change)
{
    AUTO(release_json) struct json *json = NULL;
    struct stripe_client *client = NULL;
    json_value root = NULL;
    const char *verb = NULL;
    const char *account = NULL;
    const char *subscription = NULL;
    const char *key = intents_key(cx, change->services, change->intent, "end");

    TRY(json_parse(cx, change->intent->request.ptr, change->intent->request.len, &json));
    root = json_root(json);
    verb = json_text(cx, root, "verb");
    account = json_text(cx, root, "account_id");
    subscription = json_text(cx, root, "stripe_subscription_id");
    change->nothing = strcmp(verb, VERB_NOTHING) == 0;
    if (change->nothing) {
        return STATUS_OK;
    }
    TRY(services_payment_client(cx, change->services, &client));
    change->schedule = json_text(cx, root, "schedule_id");
    if (change->schedule[0] != '\0') {
        TRY(stripe_schedule_release(
            cx,
            client,
            account,
            change->schedule,
            intents_key(cx, change->services, change->intent, "release")));
    }
    TRY(dirty_object_store_fetch_number(cx, change->services->db, &change->fetch_number));
    if (strcmp(verb, VERB_KEEP) == 0) {
        return stripe_subscription_keep(cx, client, account, subscription, key, &change->changed);
    }
    const struct stripe_subscription_end end = {
        .feedback = json_text(cx, root, "feedback"), .comment = json_text(cx, root, "comment")};

    return strcmp(verb, VERB_CANCEL_NOW) == 0
               ? stripe_subscription_cancel(
                     cx, client, account, subscription, &end, &change->changed)
               : stripe_subscription_cancel_at_period_end(
                     cx, client, account, subscription, &end, key, &change->changed);
}

static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    struct change *change = user;
    struct subscription_applied applied = {.known = true};

    if (change->nothing) {
        TRY(subscription_store_lock(cx, tx, &change->intent->subject_id, &applied.subscription));
        TRY(subscription_item_store_load(cx, NULL, tx, &applied.subscription, 1));
    } else {
        TRY(subscription_apply(
            cx, change->services, tx, &change->changed, change->fetch_number, &applied));
    }
    if (!applied.known) {
        return status_fail(cx, REASON_INTERNAL, "the subscription that was ended is not ours");
    }
    if (change->schedule[0] != '\0') {
        TRY(scheduled_change_store_cancel(cx, tx, &change->intent->subject_id));
    }
    return intents_done(
        cx,
        tx,
        change->intent,
        str_of(subscription_snapshot_write(cx, &applied.subscription, NULL)),
        &change->stored);
}

static struct status forget(struct ctx *cx, struct tx *tx, void *user)
{
    const struct change *change = user;

    return intents_forget(cx, tx, change->intent);
}

struct status subscriptions_cancel_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct change change = {.services = services, .intent = intent, .schedule = ""};
    struct status status;
    struct ctx settle_cx;

    failpoint("subscription_end.claimed");
    status = call_payment_side(cx, &change);
    failpoint("subscription_end.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(tx_run(&settle_cx, services->db, settle, &change));
        return intents_answer(cx, &change.stored, ret_result);
    }
    if (!intents_absent(intent, status) && cx->now_us - intent->created_us < INTENTS_HORIZON_US) {
        return status;
    }
    /* What became of it is told by the mirror; the change itself may be asked for again. */
    TRY(tx_run(&settle_cx, services->db, forget, &change));
    ret_result->settled = true;
    return status;
}
