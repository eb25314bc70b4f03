#include "services/subscription_verb.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "services/audit.h"
#include "services/payment_accounts.h"
#include "services/payment_decline.h"
#include "services/services.h"
#include "services/subscription_guard.h"
#include "services/subscription_mirror.h"
#include "services/subscription_snapshot.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/subscriber_store.h"
#include "store/subscription_item_store.h"
#include "store/subscription_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_subscription.h"

#define REQUEST_BYTES_MAX ((size_t)16 * 1024)
#define LOOKS_MAX 3

struct claim {
    const struct subscription_verb *verb;
    struct status account_status;
    struct payment_account account;
};

static struct str request_text(
    struct ctx *cx,
    const struct claim *claim,
    const struct subscription *row,
    const char *customer,
    bool nothing)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_bool(&writer, "nothing", nothing);
    json_put_text(&writer, "account_id", claim->account.account_id);
    json_put_text(&writer, "stripe_subscription_id", row->stripe_subscription_id);
    json_put_text(&writer, "stripe_customer_id", customer);
    json_open_object(&writer, "arguments");
    if (claim->verb->put != NULL) {
        claim->verb->put(&writer, claim->verb->user);
    }
    json_close_object(&writer);
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

static struct status
judge(struct ctx *cx, const struct claim *claim, const struct subscription *row, bool *ret_nothing)
{
    const struct subscription_verb *verb = claim->verb;
    const struct subscription_verdict verdict = subscription_verdict(verb->operation, row->status);

    *ret_nothing = verdict.nothing;
    if (!verdict.allowed) {
        return subscription_refused(cx, row, verdict.reason);
    }
    return verdict.nothing || verb->look == NULL ? STATUS_OK
                                                 : verb->look(cx, row, verb->user, ret_nothing);
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct claim *claim = user;
    struct audit_changes changes = {0};
    struct subscriber subscriber;
    struct subscription row;
    bool nothing = false;

    TRY(subscription_guard(cx, tx, intent, &claim->verb->subscription_id, claim->verb->etag, &row));
    TRY(judge(cx, claim, &row, &nothing));
    if (!nothing) {
        TRY(claim->account_status);
    }
    TRY(subscriber_store_load(cx, services->db, &row.customer_id, NULL, &subscriber));
    intent->subject_id = row.subscription_id;
    intent->request = request_text(cx, claim, &row, subscriber.stripe_customer_id, nothing);
    audit_note(&changes, "operation", "", subscription_operation_name(claim->verb->operation));
    return audit_add(
        cx,
        tx,
        "subscription",
        id_text(cx->arena, ID_SUBSCRIPTION, &row.subscription_id),
        &changes);
}

struct status subscription_verb_run(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_verb *verb,
    struct subscription *ret_subscription)
{
    struct claim claim = {.verb = verb};
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = verb->drive,
        .user = &claim,
    };
    struct str answer = {"", 0};
    bool replayed = false;

    /* What cannot take payments any more can still stop asking for them. */
    claim.account_status = verb->pays ? payment_accounts_require(cx, services, &claim.account)
                                      : payment_accounts_get(cx, services, &claim.account);
    if (claim.account_status.code == CODE_UNAVAILABLE) {
        return claim.account_status;
    }
    TRY(intents_run(cx, services, &call, &answer, &replayed));
    return subscription_snapshot_read(
        cx, arena_text_n(cx->arena, answer.ptr, answer.len), ret_subscription);
}

struct status subscription_verb_read(struct ctx *cx, struct subscription_verb_work *work)
{
    TRY(dirty_object_store_fetch_number(cx, work->services->db, &work->fetch_number));
    return stripe_subscription_retrieve(
        cx, work->client, work->account_id, work->stripe_id, &work->now);
}

const char *
subscription_verb_key(struct ctx *cx, const struct subscription_verb_work *work, const char *step)
{
    return intents_key(cx, work->services, work->intent, step);
}

/* In the words of our own API, where it has them. */
static struct status
told(struct ctx *cx, const struct subscription_verb_work *work, struct status failure)
{
    const struct payment_error *error =
        work->client == NULL ? NULL : stripe_client_error(work->client);
    const char *method = json_text(cx, work->arguments, "payment_method_id");
    const char *subscription = id_text(cx->arena, ID_SUBSCRIPTION, &work->intent->subject_id);
    const bool rejected = status_reason(failure) == REASON_PAYMENT_SIDE_REJECTED && error != NULL;
    const bool missing = rejected && strcmp(error->code, "resource_missing") == 0;

    if (status_reason(failure) == REASON_PAYMENT_DECLINED && error != NULL &&
        error->failure == PAYMENT_FAILURE_DECLINED) {
        return payment_decline(cx, error, subscription);
    }
    if (missing && method[0] != '\0') {
        return status_pair(
            cx, status_of(cx, REASON_PAYMENT_METHOD_NOT_FOUND), "payment_method_id", method);
    }
    if (rejected && method[0] == '\0' && error->param[0] == '\0' &&
        (missing || strcmp(error->code, "missing") == 0)) {
        return status_pair(
            cx, status_of(cx, REASON_PAYMENT_METHOD_MISSING), "subscription_id", subscription);
    }
    return failure;
}

static struct status apply(
    struct ctx *cx,
    struct tx *tx,
    struct subscription_verb_work *work,
    struct subscription *ret_row)
{
    struct subscription_applied applied = {.known = true};

    if (work->nothing) {
        TRY(subscription_store_lock(cx, tx, &work->intent->subject_id, ret_row));
        return subscription_item_store_load(cx, NULL, tx, ret_row, 1);
    }
    TRY(subscription_apply(cx, work->services, tx, &work->now, work->fetch_number, &applied));
    if (!applied.known) {
        return status_fail(cx, REASON_INTERNAL, "the subscription that was changed is not ours");
    }
    *ret_row = applied.subscription;
    work->overtaken = applied.older;
    return STATUS_OK;
}

/* One try of the settling. */
struct settling {
    struct subscription_verb_work *work;
    const struct subscription_verb_steps *steps;
};

static struct status settle_done(struct ctx *cx, struct tx *tx, void *user)
{
    const struct settling *settling = user;
    struct subscription_verb_work *work = settling->work;
    struct subscription row;

    TRY(apply(cx, tx, work, &row));
    if (work->overtaken) {
        return STATUS_OK;
    }
    if (settling->steps->settle != NULL && !work->nothing) {
        TRY(settling->steps->settle(cx, tx, work));
        TRY(subscription_store_lock(cx, tx, &work->intent->subject_id, &row));
        TRY(subscription_item_store_load(cx, NULL, tx, &row, 1));
    }
    TRY(intents_done(
        cx, tx, work->intent, str_of(subscription_snapshot_write(cx, &row, NULL)), &work->stored));
    failpoint("subscription_verb.settling");
    return STATUS_OK;
}

/* A reader whose number is higher than that of the call may have read before the call took effect,
 * so what is there when the answer is known is read once more. */
static struct status settle(struct ctx *cx, struct db *db, struct settling *settling)
{
    TRY(tx_run(cx, db, settle_done, settling));
    for (int looks = 0; settling->work->overtaken && looks < LOOKS_MAX; looks++) {
        TRY(subscription_verb_read(cx, settling->work));
        TRY(tx_run(cx, db, settle_done, settling));
    }
    return settling->work->overtaken ? status_of(cx, REASON_OUTCOME_PENDING) : STATUS_OK;
}

/* A decline is an effect, and the answer to every repeat. Anything else left nothing behind: the
 * same request_id may be tried again. */
static struct status settle_failed(struct ctx *cx, struct tx *tx, void *user)
{
    const struct settling *settling = user;
    struct subscription_verb_work *work = settling->work;
    struct subscription row;

    if (work->now.id != NULL) {
        TRY(apply(cx, tx, work, &row));
    }
    return status_reason(work->failure) == REASON_PAYMENT_DECLINED
               ? intents_failed(cx, tx, work->intent, work->failure)
               : intents_forget(cx, tx, work->intent);
}

/* A fault of the payment side's own that it will repeat for a day under this key. The try behind it
 * has ended. */
static bool is_spent(const struct payment_error *error)
{
    return error->replayed && error->http_status >= 500;
}

/* Verbs say what shall be, so that asking twice, with two keys, is the same as asking once. */
static struct status call_there(
    struct ctx *cx,
    struct subscription_verb_work *work,
    const struct subscription_verb_steps *steps)
{
    struct status status;

    if (work->nothing) {
        return STATUS_OK;
    }
    TRY(services_payment_client(cx, work->services, &work->client));
    TRY(dirty_object_store_fetch_number(cx, work->services->db, &work->fetch_number));
    status = steps->call(cx, work);
    if (status.code == CODE_OK || !is_spent(stripe_client_error(work->client))) {
        return status;
    }
    TRY(intents_next_generation(cx, work->services, work->intent));
    TRY(dirty_object_store_fetch_number(cx, work->services->db, &work->fetch_number));
    return steps->call(cx, work);
}

/* The bank has answered, or nothing has happened. */
static bool is_final(const struct intent *intent, struct status status)
{
    const enum reason reason = status_reason(status);

    return reason == REASON_PAYMENT_DECLINED || reason == REASON_PAYMENT_METHOD_MISSING ||
           intents_absent(intent, status);
}

static void release_json(struct json **json)
{
    json_free(*json);
}

struct status subscription_verb_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    const struct subscription_verb_steps *steps,
    struct intent_result *ret_result)
{
    AUTO(release_json) struct json *json = NULL;
    struct subscription_verb_work work = {.services = services, .intent = intent};
    struct settling settling = {.work = &work, .steps = steps};
    struct status status;
    struct ctx settle_cx;
    json_value root = NULL;

    failpoint("subscription_verb.claimed");
    TRY(json_parse(cx, intent->request.ptr, intent->request.len, &json));
    root = json_root(json);
    work.nothing = json_bool(root, "nothing");
    work.account_id = json_text(cx, root, "account_id");
    work.stripe_id = json_text(cx, root, "stripe_subscription_id");
    work.stripe_customer_id = json_text(cx, root, "stripe_customer_id");
    work.arguments = json_get(root, "arguments");
    status = call_there(cx, &work, steps);
    failpoint("subscription_verb.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(settle(&settle_cx, services->db, &settling));
        failpoint("subscription_verb.settled");
        return intents_answer(cx, &work.stored, ret_result);
    }
    if (!is_final(intent, status) && cx->now_us - intent->created_us < INTENTS_HORIZON_US) {
        return status;
    }
    /* What became of it is told by the mirror; the change itself may be asked for again. */
    work.failure = told(cx, &work, status);
    TRY(tx_run(&settle_cx, services->db, settle_failed, &settling));
    ret_result->settled = true;
    return work.failure;
}
