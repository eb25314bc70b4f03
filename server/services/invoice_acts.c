#include "services/invoice_acts.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/wallclock.h"
#include "domain/decline.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/invoice_mirror.h"
#include "services/invoice_snapshot.h"
#include "services/keyed.h"
#include "services/payment_accounts.h"
#include "services/services.h"
#include "services/webhook_event.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/invoice_store.h"
#include "store/subscriber_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_invoice.h"
#include "stripe/stripe_payment_method.h"

#define REQUEST_BYTES_MAX ((size_t)16 * 1024)

/* Tries before the effect is looked for instead of asked for again with the same key: the payment
 * side repeats the first answer to a key, even when that was a fault of its own. */
#define BLIND_ATTEMPTS_MAX 3
#define READS_MAX 3
#define SETTLED_US (10 * US_PER_MINUTE)

/* --- claim --- */

struct asking {
    const struct invoice_order *order;
    struct status account_status; /* told only when the call is no repeat */
    struct payment_account account;
};

struct status invoices_state_invalid(struct ctx *cx, const struct invoice *invoice)
{
    const char *id = id_text(cx->arena, ID_INVOICE, &invoice->invoice_id);
    const char *name = invoice_status_name(invoice->status);
    struct status status = status_fail(
        cx, REASON_INVOICE_STATE_INVALID, "cannot do this to invoice \"%s\": it is %s", id, name);

    return status_pair(cx, status_pair(cx, status, "invoice_id", id), "status", name);
}

static struct str
request_text(struct ctx *cx, const struct asking *asking, const struct invoice *row, bool nothing)
{
    const struct invoice_order *order = asking->order;
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "act", invoice_act_name(order->act));
    json_put_bool(&writer, "nothing", nothing);
    json_put_text(&writer, "account_id", asking->account.account_id);
    json_put_text(&writer, "stripe_invoice_id", row->stripe_invoice_id);
    json_put_text(&writer, "customer_id", id_text(cx->arena, ID_CUSTOMER, &row->customer_id));
    json_put_text(&writer, "payment_method_id", order->payment_method_id);
    json_put_bool(&writer, "paid_elsewhere", order->paid_elsewhere);
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct asking *asking = user;
    const struct invoice_order *order = asking->order;
    struct audit_changes changes = {0};
    enum invoice_verdict verdict;
    struct invoice row;

    (void)services;
    TRY(invoice_store_lock(cx, tx, &order->invoice_id, &row));
    verdict = invoice_act_verdict(order->act, row.status);
    if (verdict == INVOICE_REFUSED) {
        return invoices_state_invalid(cx, &row);
    }
    if (verdict == INVOICE_TO_DO) {
        TRY(asking->account_status);
    }
    intent->subject_id = row.invoice_id;
    intent->request = request_text(cx, asking, &row, verdict == INVOICE_NOTHING);
    audit_note(&changes, "act", "", invoice_act_name(order->act));
    audit_note(&changes, "note", "", order->note);
    return audit_add(cx, tx, "invoice", id_text(cx->arena, ID_INVOICE, &row.invoice_id), &changes);
}

struct status invoices_act(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct invoice_order *order,
    struct invoice *ret_invoice)
{
    struct asking asking = {.order = order};
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = invoices_act_drive,
        .user = &asking,
    };
    struct str answer = {"", 0};
    bool replayed = false;

    asking.account_status = payment_accounts_get(cx, services, &asking.account);
    if (asking.account_status.code == CODE_UNAVAILABLE) {
        return asking.account_status;
    }
    TRY(intents_run(cx, services, &call, &answer, &replayed));
    return invoice_snapshot_read(cx, answer, ret_invoice);
}

/* --- call --- */

/* One drive of one intent. */
struct acting {
    struct services *services;
    struct intent *intent;
    struct stripe_invoice_act act;
    bool nothing;
    const char *account_id;
    const char *invoice_id; /* at the payment side */
    const char *customer_id;
    const char *payment_method_id; /* as it was given */
    struct stripe_client *client;
    struct payment_invoice changed;
    int64_t fetch_number;
    bool overtaken;        /* a later read saw the invoice before the act: to be read again */
    struct status failure; /* when it is given up */
    struct intent stored;
};

static void release_json(struct json **json)
{
    json_free(*json);
}

static struct status read_request(struct ctx *cx, struct acting *acting)
{
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    TRY(json_parse(cx, acting->intent->request.ptr, acting->intent->request.len, &json));
    root = json_root(json);
    if (!invoice_act_parse(json_text(cx, root, "act"), &acting->act.act)) {
        return status_fail(cx, REASON_INTERNAL, "the stored request is no act on an invoice");
    }
    acting->nothing = json_bool(root, "nothing");
    acting->account_id = json_text(cx, root, "account_id");
    acting->invoice_id = json_text(cx, root, "stripe_invoice_id");
    acting->customer_id = json_text(cx, root, "customer_id");
    acting->payment_method_id = json_text(cx, root, "payment_method_id");
    acting->act.payment_method = "";
    acting->act.paid_elsewhere = json_bool(root, "paid_elsewhere");
    return STATUS_OK;
}

/* What is given becomes a payment method of the customer; the key makes it the same one each time.
 */
static struct status ensure_payment_method(struct ctx *cx, struct acting *acting)
{
    struct payment_instrument instrument;
    struct subscriber subscriber;
    struct id customer_id;

    if (acting->payment_method_id[0] == '\0' || acting->act.paid_elsewhere ||
        !id_parse(ID_CUSTOMER, acting->customer_id, &customer_id)) {
        return STATUS_OK;
    }
    TRY(subscriber_store_load(cx, acting->services->db, &customer_id, NULL, &subscriber));
    TRY(stripe_payment_method_attach(
        cx,
        acting->client,
        acting->account_id,
        acting->payment_method_id,
        subscriber.stripe_customer_id,
        intents_key(cx, acting->services, acting->intent, "payment_method"),
        &instrument));
    acting->act.payment_method = instrument.id;
    return STATUS_OK;
}

/* Whether an earlier try came through; *ret_over when it is not asked for again. */
static struct status
look_for_it(struct ctx *cx, struct acting *acting, bool *ret_found, bool *ret_over)
{
    const bool too_old = cx->now_us - acting->intent->created_us > INTENTS_HORIZON_US;

    TRY(stripe_invoice_retrieve(
        cx, acting->client, acting->account_id, acting->invoice_id, &acting->changed));
    *ret_found = invoice_act_reached(acting->act.act, acting->changed.status) ||
                 (too_old && acting->act.act == INVOICE_ACT_SEND);
    *ret_over = too_old;
    return STATUS_OK;
}

/* *ret_given_up: the failure is final. */
static struct status call_payment_side(struct ctx *cx, struct acting *acting, bool *ret_given_up)
{
    struct intent *intent = acting->intent;
    const int64_t age_us = cx->now_us - intent->created_us;
    struct status status;
    bool found = false;
    bool over = false;

    TRY(services_payment_client(cx, acting->services, &acting->client));
    TRY(dirty_object_store_fetch_number(cx, acting->services->db, &acting->fetch_number));
    if (age_us > INTENTS_HORIZON_US ||
        (intent->attempts >= BLIND_ATTEMPTS_MAX && age_us > SETTLED_US)) {
        TRY(look_for_it(cx, acting, &found, &over));
        if (found) {
            return STATUS_OK;
        }
        *ret_given_up = over;
        if (over) {
            return status_of(cx, REASON_PAYMENT_SIDE_UNAVAILABLE);
        }
        TRY(intents_next_generation(cx, acting->services, intent));
    }
    status = ensure_payment_method(cx, acting);
    if (status.code == CODE_OK) {
        status = stripe_invoice_act(
            cx,
            acting->client,
            acting->account_id,
            acting->invoice_id,
            &acting->act,
            intents_key(cx, acting->services, intent, "act"),
            &acting->changed);
    }
    *ret_given_up = status_reason(status) == REASON_PAYMENT_DECLINED ||
                    (status.code != CODE_OK && intents_absent(intent, status));
    return status;
}

/* --- settle --- */

struct status invoices_mark_dirty(struct ctx *cx, struct tx *tx, const char *stripe_invoice_id)
{
    const struct dirty_object invoice = {
        .org_id = cx->caller.org_id,
        .object_type = WEBHOOK_OBJECT_INVOICE,
        .object_id = stripe_invoice_id,
        .first_seen_us = cx->now_us,
    };

    return dirty_object_store_mark(cx, tx, &invoice, 1);
}

static struct status settle_done(struct ctx *cx, struct tx *tx, void *user)
{
    struct acting *acting = user;
    struct invoice invoice;

    if (!acting->nothing) {
        TRY(invoice_apply(cx, tx, &acting->changed, acting->fetch_number));
    }
    TRY(invoice_store_lock(cx, tx, &acting->intent->subject_id, &invoice));
    acting->overtaken = !acting->nothing && invoice.fetch_number > acting->fetch_number &&
                        !invoice_act_reached(acting->act.act, invoice.status);
    if (acting->overtaken) {
        return STATUS_OK;
    }
    TRY(intents_done(
        cx, tx, acting->intent, invoice_snapshot_write(cx, &invoice), &acting->stored));
    failpoint("invoice_act.settling");
    return STATUS_OK;
}

/* Reading until the mirror shows what was done, so that the answer does. */
static struct status settle_until_shown(struct ctx *cx, struct acting *acting)
{
    struct db *db = acting->services->db;

    TRY(tx_run(cx, db, settle_done, acting));
    for (int i = 0; acting->overtaken && i < READS_MAX; i++) {
        TRY(dirty_object_store_fetch_number(cx, db, &acting->fetch_number));
        TRY(stripe_invoice_retrieve(
            cx, acting->client, acting->account_id, acting->invoice_id, &acting->changed));
        TRY(tx_run(cx, db, settle_done, acting));
    }
    return acting->overtaken ? status_of(cx, REASON_OUTCOME_PENDING) : STATUS_OK;
}

/* A decline is an effect, and the answer to every repeat. Anything else left nothing behind there.
 * Either way the payment side may know the invoice otherwise than we do: it is read again. */
static struct status settle_failed(struct ctx *cx, struct tx *tx, void *user)
{
    struct acting *acting = user;
    const enum reason reason = status_reason(acting->failure);

    TRY(invoices_mark_dirty(cx, tx, acting->invoice_id));
    failpoint("invoice_act.settling");
    return reason == REASON_PAYMENT_DECLINED || reason == REASON_PAYMENT_ACTION_REQUIRED
               ? intents_failed(cx, tx, acting->intent, acting->failure)
               : intents_forget(cx, tx, acting->intent);
}

static struct status
declined(struct ctx *cx, const struct payment_error *error, const struct invoice *invoice)
{
    const char *id = id_text(cx->arena, ID_INVOICE, &invoice->invoice_id);
    const char *code = error->decline_code[0] != '\0' ? error->decline_code : error->code;
    const enum decline_class decline = decline_class_of(code);
    struct status status;

    if (strcmp(error->code, "invoice_payment_intent_requires_action") == 0 ||
        strcmp(code, "authentication_required") == 0) {
        status = status_of(cx, REASON_PAYMENT_ACTION_REQUIRED);
        status = status_pair(cx, status, "action_url", invoice->hosted_url);
        return status_pair(cx, status, "invoice_id", id);
    }
    status = status_fail(
        cx,
        REASON_PAYMENT_DECLINED,
        "the payment was declined: %s; %s",
        code,
        decline_advice(decline));
    status = status_pair(cx, status, "decline_code", code);
    status = status_pair(cx, status, "decline_class", decline_class_name(decline));
    return status_pair(cx, status, "invoice_id", id);
}

/* The payment side says that the invoice is in another state than we believed. */
static bool is_state_error(const struct payment_error *error)
{
    static const char *const codes[] = {
        "invoice_already_paid",
        "invoice_not_editable",
        "invoice_not_open",
        "status_transition_invalid",
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strcmp(error->code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* What callers are told: in the words of our own API where it has them. */
static struct status told(struct ctx *cx, const struct acting *acting, struct status failure)
{
    const struct payment_error *error =
        acting->client == NULL ? NULL : stripe_client_error(acting->client);
    const bool rejected = status_reason(failure) == REASON_PAYMENT_SIDE_REJECTED;
    struct invoice invoice;

    if (error == NULL || (!rejected && status_reason(failure) != REASON_PAYMENT_DECLINED)) {
        return failure;
    }
    TRY(invoice_store_load(cx, acting->services->db, &acting->intent->subject_id, &invoice));
    if (!rejected) {
        return declined(cx, error, &invoice);
    }
    if (is_state_error(error)) {
        return invoices_state_invalid(cx, &invoice);
    }
    if (error->failure == PAYMENT_FAILURE_NOT_FOUND && acting->payment_method_id[0] != '\0') {
        return status_pair(
            cx,
            status_of(cx, REASON_PAYMENT_METHOD_NOT_FOUND),
            "payment_method_id",
            acting->payment_method_id);
    }
    if (acting->act.act == INVOICE_ACT_PAY && acting->payment_method_id[0] == '\0' &&
        (strcmp(error->code, "missing") == 0 || strcmp(error->code, "resource_missing") == 0)) {
        return status_pair(
            cx, status_of(cx, REASON_PAYMENT_METHOD_MISSING), "customer_id", acting->customer_id);
    }
    return failure;
}

static void wake(const struct services *services)
{
    if (services->wake_webhooks != NULL) {
        services->wake_webhooks(services->wake_user);
    }
}

struct status invoices_act_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct acting acting = {.services = services, .intent = intent};
    struct status status = STATUS_OK;
    struct ctx settle_cx;
    bool given_up = false;

    failpoint("invoice_act.claimed");
    TRY(read_request(cx, &acting));
    if (!acting.nothing) {
        status = call_payment_side(cx, &acting, &given_up);
    }
    failpoint("invoice_act.called");
    settle_cx = intents_settle_context(cx);
    if (status.code != CODE_OK && !given_up) {
        return status;
    }
    if (status.code == CODE_OK) {
        TRY(settle_until_shown(&settle_cx, &acting));
        failpoint("invoice_act.settled");
        wake(services); /* for the charge */
        return intents_answer(cx, &acting.stored, ret_result);
    }
    acting.failure = told(&settle_cx, &acting, status);
    TRY(tx_run(&settle_cx, services->db, settle_failed, &acting));
    failpoint("invoice_act.settled");
    wake(services);
    ret_result->settled = true;
    return acting.failure;
}
