#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/services.h"
#include "services/subscription_guard.h"
#include "services/subscription_mirror.h"
#include "services/subscription_schedule.h"
#include "services/subscription_snapshot.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/scheduled_change_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_schedule.h"
#include "stripe/stripe_subscription.h"

#define REQUEST_BYTES_MAX ((size_t)4 * 1024)

struct taking_back {
    const struct id *subscription_id;
    const struct id *change_id;
};

static void release_json(struct json **json)
{
    json_free(*json);
}

static struct str
request_text(struct ctx *cx, const struct scheduled_change *change, const struct subscription *row)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "account_id", change->account_id);
    json_put_text(&writer, "schedule_id", change->stripe_schedule_id);
    json_put_text(&writer, "stripe_subscription_id", row->stripe_subscription_id);
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct taking_back *taking_back = user;
    const char *change = id_text(cx->arena, ID_SCHEDULED_CHANGE, taking_back->change_id);
    struct scheduled_change waiting = {.account_id = "", .stripe_schedule_id = ""};
    struct subscription row;
    bool found = false;

    (void)services;
    TRY(subscription_guard(cx, tx, intent, taking_back->subscription_id, "", &row));
    TRY(scheduled_change_store_find(cx, tx, &row.subscription_id, &found, &waiting));
    if (!found || !id_equal(&waiting.change_id, taking_back->change_id)) {
        return status_pair(
            cx, status_of(cx, REASON_SCHEDULED_CHANGE_NOT_FOUND), "scheduled_change_id", change);
    }
    intent->subject_id = row.subscription_id;
    intent->request = request_text(cx, &waiting, &row);
    return audit_add(
        cx, tx, "subscription", id_text(cx->arena, ID_SUBSCRIPTION, &row.subscription_id), NULL);
}

struct status scheduled_changes_cancel(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct id *subscription_id,
    const struct id *change_id,
    struct subscription *ret_subscription)
{
    struct taking_back taking_back = {subscription_id, change_id};
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = scheduled_changes_cancel_drive,
        .user = &taking_back,
    };
    struct str answer = {"", 0};
    bool replayed = false;

    TRY(intents_run(cx, services, &call, &answer, &replayed));
    return subscription_snapshot_read(
        cx, arena_text_n(cx->arena, answer.ptr, answer.len), ret_subscription);
}

/* One drive of one intent. */
struct release {
    struct services *services;
    struct intent *intent;
    struct payment_subscription there;
    int64_t fetch_number;
    struct intent stored;
};

static struct status call_payment_side(struct ctx *cx, struct release *release)
{
    AUTO(release_json) struct json *json = NULL;
    struct stripe_client *client = NULL;
    json_value root = NULL;
    const char *account = NULL;

    TRY(json_parse(cx, release->intent->request.ptr, release->intent->request.len, &json));
    root = json_root(json);
    account = json_text(cx, root, "account_id");
    TRY(services_payment_client(cx, release->services, &client));
    TRY(stripe_schedule_release(
        cx,
        client,
        account,
        json_text(cx, root, "schedule_id"),
        intents_key(cx, release->services, release->intent, "release")));
    TRY(dirty_object_store_fetch_number(cx, release->services->db, &release->fetch_number));
    return stripe_subscription_retrieve(
        cx, client, account, json_text(cx, root, "stripe_subscription_id"), &release->there);
}

/* What has happened meanwhile has happened: subscription_apply() notes it first. */
static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    struct release *release = user;
    struct subscription_applied applied;

    TRY(subscription_apply(
        cx, release->services, tx, &release->there, release->fetch_number, &applied));
    if (!applied.known) {
        return status_fail(cx, REASON_INTERNAL, "the subscription of the change is not ours");
    }
    TRY(scheduled_change_store_cancel(cx, tx, &release->intent->subject_id));
    return intents_done(
        cx,
        tx,
        release->intent,
        str_of(subscription_snapshot_write(cx, &applied.subscription, NULL)),
        &release->stored);
}

static struct status forget(struct ctx *cx, struct tx *tx, void *user)
{
    const struct release *release = user;

    return intents_forget(cx, tx, release->intent);
}

struct status scheduled_changes_cancel_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct release release = {.services = services, .intent = intent};
    struct status status;
    struct ctx settle_cx;

    failpoint("scheduled_change.claimed");
    status = call_payment_side(cx, &release);
    failpoint("scheduled_change.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(tx_run(&settle_cx, services->db, settle, &release));
        return intents_answer(cx, &release.stored, ret_result);
    }
    if (!intents_absent(intent, status) && cx->now_us - intent->created_us < INTENTS_HORIZON_US) {
        return status;
    }
    TRY(tx_run(&settle_cx, services->db, forget, &release));
    ret_result->settled = true;
    return status;
}
