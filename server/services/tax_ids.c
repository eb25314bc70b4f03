#include "services/tax_ids.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/catalog_change.h"
#include "services/customer_there.h"
#include "services/payment_accounts.h"
#include "services/services.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/subscriber_store.h"
#include "store/tax_id_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_tax_id.h"

#define REQUEST_BYTES_MAX ((size_t)16 * 1024)

/* What is to be done at the payment side, as it stands in the request of the intent. */
#define VERB_CREATE "create"
#define VERB_DELETE "delete"

static void release_json(struct json **json)
{
    json_free(*json);
}

struct status tax_ids_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_key *customer,
    struct tax_id **ret_tax_ids,
    size_t *ret_count)
{
    struct customer row;

    TRY(customer_store_load(cx, services->db, NULL, customer, &row));
    return tax_id_store_list(cx, services->db, NULL, &row.customer_id, ret_tax_ids, ret_count);
}

struct status tax_id_apply(
    struct ctx *cx, struct tx *tx, const struct payment_tax_id *payment, int64_t fetch_number)
{
    struct tax_id tax_id = {
        .tax_id_id = payment->id,
        .kind = payment->type_text,
        .value = payment->value,
        .verification = tax_id_verification_parse(payment->verification),
        .created_us = payment->created_us,
    };

    TRY(subscriber_store_find_stripe(cx, tx, payment->customer_id, &tax_id.customer_id));
    return id_is_zero(&tax_id.customer_id) ? STATUS_OK
                                           : tax_id_store_write(cx, tx, &tax_id, fetch_number);
}

/* One call: what it claims, then what a drive reads back. */
struct change {
    struct services *services;
    const struct customer_key *key; /* claim only */
    struct status account_status;   /* claim only */
    const struct intent *intent;    /* from here: drive */
    const char *verb;
    struct customer_there customer;
    const char *tax_id_id; /* delete */
    const char *kind;      /* create */
    const char *value;     /* create */
    struct stripe_client *client;
    struct payment_tax_id made;
    int64_t fetch_number;
    struct intent stored;
};

static struct str request_text(struct ctx *cx, const struct change *change)
{
    const struct customer_there *customer = &change->customer;
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "verb", change->verb);
    json_put_text(&w, "account_id", customer->account_id);
    json_put_text(&w, "org_id", customer->org_id);
    json_put_text(&w, "customer_id", id_text(cx->arena, ID_CUSTOMER, &customer->customer_id));
    json_put_text(&w, "customer_email", customer->email);
    json_put_text(&w, "customer_name", customer->name);
    json_put_text(&w, "tax_id_id", change->tax_id_id);
    json_put_text(&w, "kind", change->kind);
    json_put_text(&w, "value", change->value);
    json_close_object(&w);
    return str_of(buf_failed(&buf) ? "" : arena_text(cx->arena, buf_cstr(&buf)));
}

static struct status read_request(struct ctx *cx, struct str text, struct change *change)
{
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    TRY(json_parse(cx, text.ptr, text.len, &json));
    root = json_root(json);
    change->verb = json_text(cx, root, "verb");
    change->tax_id_id = json_text(cx, root, "tax_id_id");
    change->kind = json_text(cx, root, "kind");
    change->value = json_text(cx, root, "value");
    change->customer = (struct customer_there){
        .account_id = json_text(cx, root, "account_id"),
        .org_id = json_text(cx, root, "org_id"),
        .email = json_text(cx, root, "customer_email"),
        .name = json_text(cx, root, "customer_name"),
    };
    return id_parse(ID_CUSTOMER, json_text(cx, root, "customer_id"), &change->customer.customer_id)
               ? STATUS_OK
               : status_fail(cx, REASON_INTERNAL, "the request of the intent names no customer");
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    struct change *change = user;
    struct audit_changes changes = {0};
    struct customer customer;
    struct tax_id *tax_ids = NULL;
    struct tax_id tax_id;
    size_t count = 0;

    (void)services;
    TRY(customer_store_lock(cx, tx, change->key, &customer));
    if (strcmp(change->verb, VERB_DELETE) == 0) {
        TRY(tax_id_store_load(cx, tx, &customer.customer_id, change->tax_id_id, &tax_id));
    } else {
        TRY(tax_id_store_list(cx, NULL, tx, &customer.customer_id, &tax_ids, &count));
        TRY(catalog_check_count(cx, "tax_ids", (int64_t)count, TAX_IDS_MAX));
    }
    TRY(change->account_status);
    change->customer.org_id = id_text(cx->arena, ID_ORGANIZATION, &cx->caller.org);
    change->customer.customer_id = customer.customer_id;
    change->customer.email = customer.email;
    change->customer.name = customer.name;
    intent->subject_id = customer.customer_id;
    intent->request = request_text(cx, change);
    audit_note(&changes, "tax_id", "", change->verb);
    return audit_add(
        cx, tx, "customer", id_text(cx->arena, ID_CUSTOMER, &customer.customer_id), &changes);
}

static struct status
run(struct ctx *cx, const struct keyed *keyed, struct change *change, const char **ret_answer)
{
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = tax_ids_drive,
        .user = change,
    };
    struct payment_account account = {.account_id = ""};
    struct str answer = {"", 0};
    bool replayed = false;

    change->account_status = payment_accounts_get(cx, change->services, &account);
    if (change->account_status.code == CODE_UNAVAILABLE) {
        return change->account_status;
    }
    change->customer.account_id = account.account_id;
    TRY(intents_run(cx, change->services, &call, &answer, &replayed));
    *ret_answer = arena_text_n(cx->arena, answer.ptr, answer.len);
    return STATUS_OK;
}

struct status tax_ids_create(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct customer_key *customer,
    const char *kind,
    const char *value,
    struct tax_id *ret_tax_id)
{
    AUTO(release_json) struct json *json = NULL;
    struct change change = {
        .services = services,
        .key = customer,
        .verb = VERB_CREATE,
        .tax_id_id = "",
        .kind = kind,
        .value = value,
    };
    const char *answer = NULL;
    json_value root = NULL;

    TRY(run(cx, keyed, &change, &answer));
    TRY(json_parse(cx, answer, strlen(answer), &json));
    root = json_root(json);
    *ret_tax_id = (struct tax_id){
        .tax_id_id = json_text(cx, root, "tax_id_id"),
        .kind = json_text(cx, root, "kind"),
        .value = json_text(cx, root, "value"),
        .verification = tax_id_verification_parse(json_text(cx, root, "verification")),
        .created_us = json_i64(root, "created_us"),
    };
    return STATUS_OK;
}

struct status tax_ids_delete(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct customer_key *customer,
    const char *tax_id_id)
{
    struct change change = {
        .services = services,
        .key = customer,
        .verb = VERB_DELETE,
        .tax_id_id = tax_id_id,
        .kind = "",
        .value = "",
    };
    const char *answer = NULL;

    return run(cx, keyed, &change, &answer);
}

static struct status call_payment_side(struct ctx *cx, struct change *change)
{
    struct services *services = change->services;
    const struct customer_there *customer = &change->customer;
    const char *id = NULL;

    TRY(services_payment_client(cx, services, &change->client));
    if (strcmp(change->verb, VERB_CREATE) == 0) {
        TRY(customer_there_ensure(cx, services, change->client, change->intent, customer, &id));
        TRY(dirty_object_store_fetch_number(cx, services->db, &change->fetch_number));
        const struct stripe_tax_id_params params = {
            .customer_id = id, .kind = change->kind, .value = change->value};

        return stripe_tax_id_create(
            cx,
            change->client,
            customer->account_id,
            &params,
            intents_key(cx, services, change->intent, "tax_id"),
            &change->made);
    }
    struct subscriber subscriber;

    TRY(subscriber_store_load(cx, services->db, &customer->customer_id, NULL, &subscriber));
    TRY(dirty_object_store_fetch_number(cx, services->db, &change->fetch_number));
    id = subscriber.stripe_customer_id;
    return id[0] == '\0' ? STATUS_OK /* it went with the customer */
                         : stripe_tax_id_delete(
                               cx, change->client, customer->account_id, id, change->tax_id_id);
}

static const char *answer_text(struct ctx *cx, const struct payment_tax_id *made)
{
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, REQUEST_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "tax_id_id", made->id);
    json_put_text(&w, "kind", made->type_text);
    json_put_text(&w, "value", made->value);
    json_put_text(&w, "verification", made->verification);
    json_put_i64(&w, "created_us", made->created_us);
    json_close_object(&w);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    struct change *change = user;
    const char *answer = "{}";

    if (strcmp(change->verb, VERB_CREATE) == 0) {
        TRY(tax_id_apply(cx, tx, &change->made, change->fetch_number));
        answer = answer_text(cx, &change->made);
    } else {
        TRY(tax_id_store_delete(cx, tx, change->tax_id_id, change->fetch_number));
    }
    return intents_done(cx, tx, change->intent, str_of(answer), &change->stored);
}

static struct status forget(struct ctx *cx, struct tx *tx, void *user)
{
    const struct change *change = user;

    return intents_forget(cx, tx, change->intent);
}

/* In the words of our own API. */
static struct status told(struct ctx *cx, const struct change *change, struct status failure)
{
    if (change->client == NULL || status_reason(failure) != REASON_PAYMENT_SIDE_REJECTED ||
        strcmp(stripe_client_error(change->client)->code, "tax_id_invalid") != 0) {
        return failure;
    }
    return status_pair(
        cx,
        status_pair(cx, status_of(cx, REASON_TAX_ID_INVALID), "kind", change->kind),
        "value",
        change->value);
}

struct status tax_ids_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct change change = {.services = services, .intent = intent};
    struct status status;
    struct ctx settle_cx;

    failpoint("tax_id.claimed");
    TRY(read_request(cx, intent->request, &change));
    status = call_payment_side(cx, &change);
    failpoint("tax_id.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(tx_run(&settle_cx, services->db, settle, &change));
        return intents_answer(cx, &change.stored, ret_result);
    }
    if (!intents_absent(intent, status) && cx->now_us - intent->created_us < INTENTS_HORIZON_US) {
        return status;
    }
    status = told(cx, &change, status);
    TRY(tx_run(&settle_cx, services->db, forget, &change));
    ret_result->settled = true;
    return status;
}
