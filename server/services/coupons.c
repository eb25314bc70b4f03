#include "services/coupons.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "domain/field_check.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/coupon_snapshot.h"
#include "services/payment_accounts.h"
#include "services/services.h"
#include "store/db.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_coupon.h"

#define REQUEST_BYTES_MAX ((size_t)160 * 1024)

/* What is to be done, as it stands in the request of the intent. */
#define VERB_CREATE "create"
#define VERB_RENAME "rename"
#define VERB_LOCAL "local" /* the payment side does not care */
#define VERB_ARCHIVE "archive"

static void release_json(struct json **json)
{
    json_free(*json);
}

struct status coupons_get(
    struct ctx *cx,
    struct services *services,
    const struct coupon_key *key,
    struct coupon *ret_coupon)
{
    return coupon_store_load(cx, services->db, NULL, key, ret_coupon);
}

struct status coupons_list(
    struct ctx *cx,
    struct services *services,
    enum catalog_state state,
    const struct coupon_position *before,
    int32_t max,
    struct coupon **ret_coupons,
    size_t *ret_count)
{
    return coupon_store_list(cx, services->db, state, before, max, ret_coupons, ret_count);
}

/* What the claim works on; coupon is as it shall be. */
struct claim {
    struct coupon coupon;
    const struct coupon_change *change; /* update only */
    struct status account_status;       /* told only when something is to be done there */
    struct payment_account account;
};

static struct str request_text(struct ctx *cx, const struct claim *claim, const char *verb)
{
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "verb", verb);
    json_put_text(&w, "account_id", claim->account.account_id);
    json_put_text(&w, "org_id", id_text(cx->arena, ID_ORGANIZATION, &cx->caller.org));
    json_put_raw(&w, "coupon", coupon_snapshot_write(cx, &claim->coupon));
    json_close_object(&w);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

static struct status
claimed(struct ctx *cx, struct tx *tx, struct intent *intent, struct claim *claim, const char *verb)
{
    struct audit_changes changes = {0};

    if (strcmp(verb, VERB_LOCAL) != 0) {
        TRY(claim->account_status);
    }
    intent->subject_id = claim->coupon.coupon_id;
    intent->request = request_text(cx, claim, verb);
    audit_note(&changes, "verb", "", verb);
    return audit_add(
        cx, tx, "coupon", id_text(cx->arena, ID_COUPON, &claim->coupon.coupon_id), &changes);
}

static struct status check_plans(struct ctx *cx, struct tx *tx, const struct coupon *coupon)
{
    const char *unknown = "";

    TRY(coupon_store_unknown_plan(cx, tx, coupon->plan_keys, coupon->plan_count, &unknown));
    return unknown[0] == '\0'
               ? STATUS_OK
               : status_pair(
                     cx,
                     status_fail(cx, REASON_PLAN_NOT_FOUND, "plan \"%s\" does not exist", unknown),
                     "plan_key",
                     unknown);
}

static struct status prepare_create(
    struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    struct claim *claim = user;
    struct coupon *coupon = &claim->coupon;
    const char *given_key = coupon->key;

    (void)services;
    coupon->coupon_id = id_new(cx->now_us);
    if (given_key[0] == '\0') {
        coupon->key = id_text(cx->arena, ID_COUPON, &coupon->coupon_id);
    }
    TRY(check_plans(cx, tx, coupon));
    TRY(coupon_store_insert(cx, tx, coupon));
    return claimed(cx, tx, intent, claim, VERB_CREATE);
}

static struct status prepare_update(
    struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    struct claim *claim = user;
    const struct coupon_change *change = claim->change;
    struct coupon before;

    (void)services;
    TRY(coupon_store_lock(cx, tx, &change->values.coupon_id, &before));
    TRY(field_check_etag(cx, change->etag, before.version));
    claim->coupon = before;
    if ((change->fields & COUPON_NAME) != 0) {
        TRY(field_check_text(cx, "coupon.name", change->values.name, 1, COUPON_NAME_LETTERS_MAX));
        claim->coupon.name = change->values.name;
    }
    if ((change->fields & COUPON_METADATA) != 0) {
        claim->coupon.metadata = change->values.metadata;
    }
    /* One that is archived is deleted there: its name is ours alone. */
    return claimed(
        cx,
        tx,
        intent,
        claim,
        strcmp(before.name, claim->coupon.name) == 0 || before.archived_us != 0 ? VERB_LOCAL
                                                                                : VERB_RENAME);
}

static struct status prepare_archive(
    struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    struct claim *claim = user;
    const struct id coupon_id = claim->coupon.coupon_id;

    (void)services;
    TRY(coupon_store_lock(cx, tx, &coupon_id, &claim->coupon));
    return claimed(
        cx, tx, intent, claim, claim->coupon.archived_us != 0 ? VERB_LOCAL : VERB_ARCHIVE);
}

static struct status
run(struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    intent_prepare prepare,
    struct claim *claim,
    struct coupon *ret_coupon)
{
    AUTO(release_json) struct json *json = NULL;
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = coupons_drive,
        .user = claim,
    };
    struct str answer = {"", 0};
    bool replayed = false;

    claim->account = (struct payment_account){.account_id = ""};
    claim->account_status = payment_accounts_get(cx, services, &claim->account);
    if (claim->account_status.code == CODE_UNAVAILABLE) {
        return claim->account_status;
    }
    TRY(intents_run(cx, services, &call, &answer, &replayed));
    TRY(json_parse(cx, answer.ptr, answer.len, &json));
    return coupon_snapshot_read(cx, json_root(json), ret_coupon);
}

struct status coupons_create(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct coupon *input,
    struct coupon *ret_coupon)
{
    struct claim claim = {.coupon = *input};

    TRY(coupon_check(cx, "coupon", input));
    claim.coupon.redemptions = 0;
    claim.coupon.version = 1;
    claim.coupon.created_us = cx->now_us;
    claim.coupon.updated_us = cx->now_us;
    claim.coupon.archived_us = 0;
    return run(cx, services, keyed, prepare_create, &claim, ret_coupon);
}

struct status coupons_update(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct coupon_change *change,
    struct coupon *ret_coupon)
{
    struct claim claim = {.change = change};

    return run(cx, services, keyed, prepare_update, &claim, ret_coupon);
}

struct status coupons_archive(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct id *coupon_id,
    struct coupon *ret_coupon)
{
    struct claim claim = {.coupon = {.coupon_id = *coupon_id}};

    return run(cx, services, keyed, prepare_archive, &claim, ret_coupon);
}

/* One drive of one intent. */
struct drive {
    struct services *services;
    const struct intent *intent;
    const char *verb;
    const char *account_id;
    const char *org_id;
    struct coupon coupon;
    struct intent stored;
};

static struct status read_request(struct ctx *cx, struct drive *drive)
{
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    TRY(json_parse(cx, drive->intent->request.ptr, drive->intent->request.len, &json));
    root = json_root(json);
    drive->verb = json_text(cx, root, "verb");
    drive->account_id = json_text(cx, root, "account_id");
    drive->org_id = json_text(cx, root, "org_id");
    return coupon_snapshot_read(cx, json_get(root, "coupon"), &drive->coupon);
}

static struct status
create_there(struct ctx *cx, struct stripe_client *client, const struct drive *drive)
{
    static const char *const durations[] = {
        [0] = "",
        [COUPON_ONCE] = "once",
        [COUPON_REPEATING] = "repeating",
        [COUPON_FOREVER] = "forever",
    };
    const struct coupon *coupon = &drive->coupon;
    const char *id = id_text(cx->arena, ID_COUPON, &coupon->coupon_id);
    const struct stripe_coupon_params params = {
        .id = id,
        .name = coupon->name,
        .percent_off_bps = coupon->percent_off_bps,
        .amount_off_minor = coupon->amount_off_minor,
        .currency = coupon->currency,
        .duration = durations[coupon->duration],
        .months = coupon->months,
        .redemptions_max = coupon->redemptions_max,
        .redeem_by_us = coupon->redeem_by_us,
        .marks =
            {
                .org_id = drive->org_id,
                .object_id = id,
                .operation_id = intents_mark(cx, drive->intent),
            },
    };
    struct payment_coupon made;

    return stripe_coupon_create(
        cx,
        client,
        drive->account_id,
        &params,
        intents_key(cx, drive->services, drive->intent, "coupon"),
        &made);
}

static struct status call_payment_side(struct ctx *cx, const struct drive *drive)
{
    const char *id = id_text(cx->arena, ID_COUPON, &drive->coupon.coupon_id);
    struct stripe_client *client = NULL;
    struct payment_coupon renamed;

    if (strcmp(drive->verb, VERB_LOCAL) == 0) {
        return STATUS_OK;
    }
    TRY(services_payment_client(cx, drive->services, &client));
    if (strcmp(drive->verb, VERB_CREATE) == 0) {
        return create_there(cx, client, drive);
    }
    return strcmp(drive->verb, VERB_ARCHIVE) == 0
               ? stripe_coupon_delete(cx, client, drive->account_id, id)
               : stripe_coupon_rename(
                     cx,
                     client,
                     drive->account_id,
                     id,
                     drive->coupon.name,
                     intents_key(cx, drive->services, drive->intent, "coupon"),
                     &renamed);
}

/* The row as it shall be; a change that changes nothing keeps its version. */
static struct status
change_row(struct ctx *cx, struct tx *tx, const struct drive *drive, struct coupon *row)
{
    if (strcmp(drive->verb, VERB_ARCHIVE) == 0) {
        row->archived_us = cx->now_us;
    } else if (
        strcmp(row->name, drive->coupon.name) == 0 &&
        strcmp(row->metadata, drive->coupon.metadata) == 0) {
        return STATUS_OK;
    } else {
        row->name = drive->coupon.name;
        row->metadata = drive->coupon.metadata;
    }
    row->version++;
    row->updated_us = cx->now_us;
    return coupon_store_update(cx, tx, row);
}

static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    struct drive *drive = user;
    const struct id *coupon_id = &drive->coupon.coupon_id;
    const bool creates = strcmp(drive->verb, VERB_CREATE) == 0;
    struct coupon row;

    if (creates) {
        TRY(coupon_store_show(cx, tx, coupon_id));
    }
    TRY(coupon_store_lock(cx, tx, coupon_id, &row));
    if (!creates) {
        TRY(change_row(cx, tx, drive, &row));
    }
    failpoint("coupon.settling");
    return intents_done(
        cx, tx, drive->intent, str_of(coupon_snapshot_write(cx, &row)), &drive->stored);
}

static struct status forget(struct ctx *cx, struct tx *tx, void *user)
{
    const struct drive *drive = user;

    if (strcmp(drive->verb, VERB_CREATE) == 0) {
        TRY(coupon_store_drop(cx, tx, &drive->coupon.coupon_id));
    }
    return intents_forget(cx, tx, drive->intent);
}

struct status coupons_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct drive drive = {.services = services, .intent = intent};
    struct status status;
    struct ctx settle_cx;

    failpoint("coupon.claimed");
    TRY(read_request(cx, &drive));
    status = call_payment_side(cx, &drive);
    failpoint("coupon.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(tx_run(&settle_cx, services->db, settle, &drive));
        return intents_answer(cx, &drive.stored, ret_result);
    }
    /* All of it can be asked for again at any time with the same effect: our id names it there. */
    if (!intents_absent(intent, status)) {
        return status;
    }
    TRY(tx_run(&settle_cx, services->db, forget, &drive));
    ret_result->settled = true;
    return status;
}
