#include "services/payment_accounts.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "domain/event.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/keyed.h"
#include "services/payment_account_mirror.h"
#include "services/services.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/intent_upkeep_store.h"
#include "store/organization_store.h"
#include "store/stripe_account_store.h"
#include "stripe/stripe_account.h"
#include "stripe/stripe_client.h"

#define REQUEST_BYTES_MAX ((size_t)8 * 1024)

static struct status not_connected(struct ctx *cx, enum payment_account_state state)
{
    struct status status = status_of(cx, REASON_PAYMENT_ACCOUNT_NOT_CONNECTED);

    status = status_pair(cx, status, "mode", cx->caller.live ? "LIVE" : "TEST");
    return state == PAYMENT_ACCOUNT_DISCONNECTED
               ? status_pair(cx, status, "state", payment_account_state_name(state))
               : status;
}

struct status
payment_accounts_get(struct ctx *cx, struct services *services, struct payment_account *ret_account)
{
    bool found = false;

    TRY(payment_account_load(cx, services->db, &found, ret_account));
    return found ? STATUS_OK : not_connected(cx, PAYMENT_ACCOUNT_ONBOARDING_INCOMPLETE);
}

static struct status
get_connected(struct ctx *cx, struct services *services, struct payment_account *ret_account)
{
    TRY(payment_accounts_get(cx, services, ret_account));
    return ret_account->disconnected_us == 0 ? STATUS_OK
                                             : not_connected(cx, PAYMENT_ACCOUNT_DISCONNECTED);
}

struct status payment_accounts_require(
    struct ctx *cx, struct services *services, struct payment_account *ret_account)
{
    struct status status;

    TRY(get_connected(cx, services, ret_account));
    if (ret_account->charges_enabled) {
        return STATUS_OK;
    }
    status = status_pair(
        cx,
        status_of(cx, REASON_PAYMENT_ACCOUNT_RESTRICTED),
        "state",
        payment_account_state_name(payment_account_state(ret_account)));
    return status_pair(cx, status, "disabled_reason", ret_account->disabled_reason);
}

struct status payment_accounts_refresh(
    struct ctx *cx, struct services *services, struct payment_account *ret_account)
{
    TRY(get_connected(cx, services, ret_account));
    TRY(payment_account_fetch(cx, services, ret_account->account_id));
    return payment_accounts_get(cx, services, ret_account);
}

struct status payment_accounts_onboard(
    struct ctx *cx,
    struct services *services,
    const char *return_url,
    const char *refresh_url,
    struct payment_account_link *ret_link)
{
    struct payment_account account;
    struct stripe_client *client = NULL;

    TRY(get_connected(cx, services, &account));
    TRY(services_payment_client(cx, services, &client));
    return stripe_account_link(
        cx,
        client,
        account.account_id,
        refresh_url[0] == '\0' ? return_url : refresh_url,
        return_url,
        &ret_link->url,
        &ret_link->expires_us);
}

struct status
payment_accounts_dashboard(struct ctx *cx, struct services *services, const char **ret_url)
{
    struct payment_account account;
    struct stripe_client *client = NULL;

    TRY(get_connected(cx, services, &account));
    TRY(services_payment_client(cx, services, &client));
    return stripe_account_login_link(cx, client, account.account_id, ret_url);
}

struct status payment_accounts_disconnect(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const char *note,
    struct payment_account *ret_account)
{
    struct audit_changes changes = {0};
    bool found = false;

    (void)services;
    TRY(payment_account_lock(cx, tx, &found, ret_account));
    if (!found || ret_account->disconnected_us != 0) {
        return not_connected(
            cx, found ? PAYMENT_ACCOUNT_DISCONNECTED : PAYMENT_ACCOUNT_ONBOARDING_INCOMPLETE);
    }
    TRY(stripe_account_store_disconnect(cx, tx, cx->now_us));
    audit_note(&changes, "state", "CONNECTED", "DISCONNECTED");
    audit_note(&changes, "note", "", note);
    TRY(audit_add(cx, tx, "payment_account", ret_account->account_id, &changes));
    ret_account->disconnected_us = cx->now_us;
    return payment_account_tell(cx, tx, ret_account);
}

/* What the intent needs to be driven: written once, so that every try sends the same. */
static const char *request_text(
    struct ctx *cx,
    const struct payment_account_draft *draft,
    const struct organization *organization,
    const char *reconnect)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "email", draft->email);
    json_put_text(
        &writer, "country", draft->country[0] != '\0' ? draft->country : organization->country);
    json_put_text(&writer, "business_name", organization->name);
    json_put_text(
        &writer, "org_id", id_text(cx->arena, ID_ORGANIZATION, &organization->organization_id));
    json_put_text(&writer, "reconnect", reconnect);
    json_close_object(&writer);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

/* One at a time: whoever comes while another connects would make a second account. */
static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct payment_account_draft *draft = user;
    struct organization organization;
    struct payment_account account;
    struct id busy;
    bool found = false;

    (void)services;
    TRY(organization_store_lock(cx, tx, &organization));
    TRY(intent_upkeep_store_busy(
        cx, tx, &organization.organization_id, intent->method, &intent->intent_id, &busy));
    if (!id_is_zero(&busy)) {
        return status_retry(status_of(cx, REASON_REQUEST_IN_PROGRESS), 1000);
    }
    TRY(payment_account_lock(cx, tx, &found, &account));
    if (found && account.disconnected_us == 0) {
        return status_pair(
            cx,
            status_of(cx, REASON_PAYMENT_ACCOUNT_EXISTS),
            "mode",
            cx->caller.live ? "LIVE" : "TEST");
    }
    intent->subject_id = organization.organization_id;
    intent->request =
        str_of(request_text(cx, draft, &organization, found ? account.account_id : ""));
    return STATUS_OK;
}

struct status payment_accounts_connect(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_account_draft *draft,
    struct payment_account *ret_account,
    struct payment_account_link *ret_link)
{
    struct payment_account_draft given = *draft;
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = payment_accounts_connect_drive,
        .user = &given,
    };
    struct str answer = {"", 0};
    struct status status;
    bool replayed = false;

    TRY(intents_run(cx, services, &call, &answer, &replayed));
    TRY(payment_account_read_raw(cx, answer, ret_account));
    *ret_link = (struct payment_account_link){.url = ""};
    status =
        payment_accounts_onboard(cx, services, draft->return_url, draft->refresh_url, ret_link);
    if (status.code != CODE_OK) {
        status_ignore(cx, status, "the account is connected; a link can be made later");
    }
    return STATUS_OK;
}

struct settle_work {
    const struct intent *intent;
    const struct payment_account *read;
    const char *raw;
    int64_t fetch_number;
    bool reconnect;
    struct intent stored;
};

static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    struct settle_work *work = user;
    struct audit_changes changes = {0};
    bool inserted = false;

    if (work->reconnect) {
        TRY(stripe_account_store_disconnect(cx, tx, /* disconnected_us= */ 0));
    } else {
        TRY(stripe_account_store_insert(cx, tx, work->read->account_id, &inserted));
    }
    TRY(payment_account_apply(cx, tx, work->read, work->raw, work->fetch_number));
    audit_note(&changes, "state", "", "CONNECTED");
    TRY(audit_add(cx, tx, "payment_account", work->read->account_id, &changes));
    TRY(intents_done(cx, tx, work->intent, str_of(work->raw), &work->stored));
    failpoint("payment_account.settling");
    return STATUS_OK;
}

static struct status forget(struct ctx *cx, struct tx *tx, void *user)
{
    return intents_forget(cx, tx, user);
}

static void release_json(struct json **json)
{
    json_free(*json);
}

static struct status call_payment_side(
    struct ctx *cx,
    struct services *services,
    const struct intent *intent,
    struct payment_account *ret_read,
    struct settle_work *work)
{
    AUTO(release_json) struct json *json = NULL;
    struct stripe_client *client = NULL;
    struct stripe_account_params params = {.business_url = ""};
    const char *reconnect = NULL;
    json_value root = NULL;

    TRY(json_parse(cx, intent->request.ptr, intent->request.len, &json));
    root = json_root(json);
    reconnect = json_text(cx, root, "reconnect");
    work->reconnect = reconnect[0] != '\0';
    TRY(services_payment_client(cx, services, &client));
    TRY(dirty_object_store_fetch_number(cx, services->db, &work->fetch_number));
    if (work->reconnect) {
        return stripe_account_retrieve(cx, client, reconnect, ret_read, &work->raw);
    }
    params.country = json_text(cx, root, "country");
    params.email = json_text(cx, root, "email");
    params.business_name = json_text(cx, root, "business_name");
    params.marks = (struct payment_marks){
        .org_id = json_text(cx, root, "org_id"),
        .object_id = "",
        .operation_id = intents_mark(cx, intent),
    };
    return stripe_account_create(
        cx, client, &params, intents_key(cx, services, intent, "account"), ret_read, &work->raw);
}

struct status payment_accounts_connect_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct payment_account read;
    struct settle_work work = {.intent = intent, .read = &read};
    struct status status;
    struct ctx settle_cx;

    failpoint("payment_account.claimed");
    status = call_payment_side(cx, services, intent, &read, &work);
    failpoint("payment_account.called");
    settle_cx = intents_settle_context(cx);
    if (status.code != CODE_OK) {
        const bool too_old = cx->now_us - intent->created_us > INTENTS_HORIZON_US;

        if (!too_old && !intents_absent(intent, status)) {
            return status;
        }
        /* Without an account nothing was sold: what may be left there is an empty shell. */
        TRY(tx_run(&settle_cx, services->db, forget, intent));
        ret_result->settled = true;
        return status;
    }
    TRY(tx_run(&settle_cx, services->db, settle, &work));
    log_info(cx, "payment account connected", LOG_TEXT("account", read.account_id));
    return intents_answer(cx, &work.stored, ret_result);
}
