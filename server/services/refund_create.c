#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/wallclock.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/invoice_acts.h"
#include "services/keyed.h"
#include "services/payment_accounts.h"
#include "services/refunds.h"
#include "services/services.h"
#include "services/snapshot.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/refund_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_refund.h"

#define REQUEST_BYTES_MAX ((size_t)16 * 1024)
#define BLIND_ATTEMPTS_MAX 3 /* as in invoice_acts.c */
#define SETTLED_US (10 * US_PER_MINUTE)

static const struct snapshot_member members[] = {
    SNAPSHOT_MEMBER_ID(struct refund, refund_id, ID_REFUND),
    SNAPSHOT_MEMBER_ID(struct refund, invoice_id, ID_INVOICE),
    SNAPSHOT_MEMBER_ID(struct refund, customer_id, ID_CUSTOMER),
    SNAPSHOT_MEMBER_ID(struct refund, payment_id, ID_PAYMENT),
    SNAPSHOT_MEMBER(struct refund, stripe_refund_id, SNAPSHOT_TEXT),
    SNAPSHOT_MEMBER(struct refund, amount_minor, SNAPSHOT_NUMBER),
    SNAPSHOT_MEMBER(struct refund, currency, SNAPSHOT_TEXT),
    SNAPSHOT_MEMBER(struct refund, state, SNAPSHOT_WORD),
    SNAPSHOT_MEMBER(struct refund, reason, SNAPSHOT_NUMBER),
    SNAPSHOT_MEMBER(struct refund, failure_code, SNAPSHOT_TEXT),
    SNAPSHOT_MEMBER(struct refund, created_us, SNAPSHOT_NUMBER),
};

/* What the claim works on. */
struct claiming {
    const struct refund_order *order;
    struct status account_status;
    struct payment_account account;
};

static struct status
too_large(struct ctx *cx, const struct id *invoice_id, int64_t amount, int64_t left)
{
    struct status status = status_of(cx, REASON_REFUND_TOO_LARGE);

    status = status_pair(cx, status, "invoice_id", id_text(cx->arena, ID_INVOICE, invoice_id));
    status = status_pair(cx, status, "amount", arena_printf(cx->arena, "%" PRId64, amount));
    return status_pair(cx, status, "refundable", arena_printf(cx->arena, "%" PRId64, left));
}

/* What is to be paid back; the invoice is locked. */
static struct status find_amount(
    struct ctx *cx,
    struct tx *tx,
    const struct refund_order *order,
    const struct invoice *invoice,
    int64_t *ret_minor)
{
    int64_t taken = 0;
    int64_t left = 0;

    if (invoice->paid_minor <= 0 || invoice->payment_intent[0] == '\0') {
        return invoices_state_invalid(cx, invoice);
    }
    if (!order->all && strcmp(order->amount.currency, invoice->currency) != 0) {
        return status_of(cx, REASON_CURRENCY_MISMATCH);
    }
    TRY(refund_store_taken(cx, tx, &invoice->invoice_id, &taken));
    left = invoice->paid_minor - taken;
    *ret_minor = order->all ? left : order->amount.minor;
    return left <= 0 || *ret_minor > left
               ? too_large(cx, &invoice->invoice_id, *ret_minor, left < 0 ? 0 : left)
               : STATUS_OK;
}

static struct str
request_text(struct ctx *cx, const struct claiming *claiming, const struct refund *row)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "account_id", claiming->account.account_id);
    json_put_text(&writer, "org_id", id_text(cx->arena, ID_ORGANIZATION, &cx->caller.org));
    json_put_text(&writer, "invoice_id", id_text(cx->arena, ID_INVOICE, &row->invoice_id));
    json_put_text(&writer, "payment_intent", row->payment_intent);
    json_put_i64(&writer, "amount_minor", row->amount_minor);
    json_put_text(&writer, "currency", row->currency);
    json_put_text(&writer, "reason", refund_reason_word(row->reason));
    json_put_bool(&writer, "application_fee", claiming->order->application_fee);
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct claiming *claiming = user;
    struct audit_changes changes = {0};
    struct invoice invoice;
    struct refund row = {.refund_id = id_new(cx->now_us), .reason = claiming->order->reason};

    (void)services;
    TRY(invoice_store_lock(cx, tx, &claiming->order->invoice_id, &invoice));
    TRY(find_amount(cx, tx, claiming->order, &invoice, &row.amount_minor));
    TRY(claiming->account_status);
    row.invoice_id = invoice.invoice_id;
    row.customer_id = invoice.customer_id;
    row.currency = invoice.currency;
    row.payment_intent = invoice.payment_intent;
    row.created_us = cx->now_us;
    TRY(refund_store_claim(cx, tx, &row));
    intent->subject_id = row.refund_id;
    intent->request = request_text(cx, claiming, &row);
    audit_note(&changes, "amount", "", arena_printf(cx->arena, "%" PRId64, row.amount_minor));
    audit_note(&changes, "invoice_id", "", id_text(cx->arena, ID_INVOICE, &row.invoice_id));
    return audit_add(cx, tx, "refund", id_text(cx->arena, ID_REFUND, &row.refund_id), &changes);
}

struct status refunds_create(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct refund_order *order,
    struct refund *ret_refund)
{
    struct claiming claiming = {.order = order};
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = refunds_create_drive,
        .user = &claiming,
    };
    struct str answer = {"", 0};
    bool replayed = false;

    claiming.account_status = payment_accounts_get(cx, services, &claiming.account);
    if (claiming.account_status.code == CODE_UNAVAILABLE) {
        return claiming.account_status;
    }
    TRY(intents_run(cx, services, &call, &answer, &replayed));
    *ret_refund = (struct refund){.state = REFUND_PENDING};
    return snapshot_read(cx, answer, members, ARRAY_LEN(members), ret_refund);
}

/* One drive of one intent. */
struct refunding {
    struct services *services;
    struct intent *intent;
    const char *account_id;
    struct id invoice_id;
    struct stripe_refund_params params;
    struct stripe_client *client;
    struct payment_refund made;
    int64_t fetch_number;
    struct intent stored;
};

static void release_json(struct json **json)
{
    json_free(*json);
}

static struct status read_request(struct ctx *cx, struct refunding *refunding)
{
    const struct intent *intent = refunding->intent;
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    TRY(json_parse(cx, intent->request.ptr, intent->request.len, &json));
    root = json_root(json);
    refunding->account_id = json_text(cx, root, "account_id");
    (void)id_parse(ID_INVOICE, json_text(cx, root, "invoice_id"), &refunding->invoice_id);
    refunding->params = (struct stripe_refund_params){
        .payment_intent_id = json_text(cx, root, "payment_intent"),
        .amount_minor = json_i64(root, "amount_minor"),
        .currency = json_text(cx, root, "currency"),
        .reason = json_text(cx, root, "reason"),
        .application_fee = json_bool(root, "application_fee"),
        .marks =
            {
                .org_id = json_text(cx, root, "org_id"),
                .object_id = id_text(cx->arena, ID_REFUND, &intent->subject_id),
                .operation_id = intents_mark(cx, intent),
            },
    };
    return STATUS_OK;
}

/* *ret_given_up: the failure is final, and nothing was paid back. */
static struct status
call_payment_side(struct ctx *cx, struct refunding *refunding, bool *ret_given_up)
{
    struct intent *intent = refunding->intent;
    const int64_t age_us = cx->now_us - intent->created_us;
    struct status status;
    bool found = false;

    TRY(services_payment_client(cx, refunding->services, &refunding->client));
    TRY(dirty_object_store_fetch_number(cx, refunding->services->db, &refunding->fetch_number));
    if (age_us > INTENTS_HORIZON_US ||
        (intent->attempts >= BLIND_ATTEMPTS_MAX && age_us > SETTLED_US)) {
        TRY(stripe_refund_find(
            cx,
            refunding->client,
            refunding->account_id,
            refunding->params.payment_intent_id,
            refunding->params.marks.operation_id,
            &found,
            &refunding->made));
        if (found) {
            return STATUS_OK;
        }
        if (age_us > INTENTS_HORIZON_US) {
            *ret_given_up = true;
            return status_of(cx, REASON_PAYMENT_SIDE_UNAVAILABLE);
        }
        TRY(intents_next_generation(cx, refunding->services, intent));
    }
    status = stripe_refund_create(
        cx,
        refunding->client,
        refunding->account_id,
        &refunding->params,
        intents_key(cx, refunding->services, intent, "refund"),
        &refunding->made);
    *ret_given_up = status.code != CODE_OK && intents_absent(intent, status);
    return status;
}

static struct status settle_made(struct ctx *cx, struct tx *tx, void *user)
{
    struct refunding *refunding = user;
    struct refund refund;

    TRY(refund_apply(cx, tx, &refunding->made, refunding->fetch_number));
    TRY(refund_store_load(cx, NULL, tx, &refunding->intent->subject_id, &refund));
    TRY(intents_done(
        cx,
        tx,
        refunding->intent,
        snapshot_write(cx, members, ARRAY_LEN(members), &refund),
        &refunding->stored));
    failpoint("refund.settling");
    return STATUS_OK;
}

static struct status settle_failed(struct ctx *cx, struct tx *tx, void *user)
{
    const struct refunding *refunding = user;

    TRY(refund_store_give_up(cx, tx, &refunding->intent->subject_id));
    failpoint("refund.settling");
    return intents_forget(cx, tx, refunding->intent);
}

/* The payment side knows of refunds that we have not seen yet. */
static struct status told(struct ctx *cx, const struct refunding *refunding, struct status failure)
{
    const struct payment_error *error =
        refunding->client == NULL ? NULL : stripe_client_error(refunding->client);

    if (error == NULL || status_reason(failure) != REASON_PAYMENT_SIDE_REJECTED) {
        return failure;
    }
    return strcmp(error->code, "charge_already_refunded") == 0 ||
                   strcmp(error->param, "amount") == 0
               ? too_large(cx, &refunding->invoice_id, refunding->params.amount_minor, 0)
               : failure;
}

struct status refunds_create_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct refunding refunding = {.services = services, .intent = intent};
    struct status status;
    struct ctx settle_cx;
    bool given_up = false;

    failpoint("refund.claimed");
    TRY(read_request(cx, &refunding));
    status = call_payment_side(cx, &refunding, &given_up);
    failpoint("refund.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(tx_run(&settle_cx, services->db, settle_made, &refunding));
        failpoint("refund.settled");
        return intents_answer(cx, &refunding.stored, ret_result);
    }
    if (!given_up) {
        return status;
    }
    TRY(tx_run(&settle_cx, services->db, settle_failed, &refunding));
    failpoint("refund.settled");
    ret_result->settled = true;
    return told(cx, &refunding, status);
}
