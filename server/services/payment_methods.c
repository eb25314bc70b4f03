#include "services/payment_methods.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "services/audit.h"
#include "services/customer_snapshot.h"
#include "services/payment_accounts.h"
#include "services/payment_method_mirror.h"
#include "services/payment_method_request.h"
#include "services/services.h"
#include "store/db.h"
#include "store/payment_method_store.h"
#include "store/subscription_store.h"

/* What the claim works on. */
struct claim {
    const struct payment_method_change *change;
    const char *verb;
    struct status account_status; /* told only when something is to be done there */
    struct payment_account account;
    struct customer customer;
};

struct status payment_methods_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_key *customer,
    struct payment_method **ret_methods,
    size_t *ret_count)
{
    struct customer row;

    TRY(customer_store_load(cx, services->db, NULL, customer, &row));
    return payment_method_store_list(cx, services->db, &row.customer_id, ret_methods, ret_count);
}

/* Of this customer; that another one has it is nobody's business. */
static struct status find_method(
    struct ctx *cx, struct tx *tx, const struct claim *claim, struct payment_method *ret_method)
{
    const char *id = claim->change->payment_method_id;

    TRY(payment_method_store_lock(cx, tx, id, ret_method));
    return id_equal(&ret_method->customer_id, &claim->customer.customer_id)
               ? STATUS_OK
               : status_pair(
                     cx,
                     status_fail(
                         cx,
                         REASON_PAYMENT_METHOD_NOT_FOUND,
                         "payment method \"%s\" does not exist",
                         id),
                     "payment_method_id",
                     id);
}

static struct status prepare_detach(
    struct ctx *cx,
    struct tx *tx,
    const struct claim *claim,
    struct payment_method_request *request)
{
    struct payment_method method;
    struct id subscription_id;

    TRY(find_method(cx, tx, claim, &method));
    if (method.detached) {
        request->verb = PAYMENT_METHOD_NOTHING;
        return STATUS_OK;
    }
    TRY(payment_method_store_in_use(
        cx, tx, &method.customer_id, method.payment_method_id, &subscription_id));
    if (id_is_zero(&subscription_id)) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(
            cx,
            status_of(cx, REASON_PAYMENT_METHOD_IN_USE),
            "payment_method_id",
            method.payment_method_id),
        "subscription_id",
        id_text(cx->arena, ID_SUBSCRIPTION, &subscription_id));
}

static struct status add_subscription(
    struct ctx *cx,
    struct tx *tx,
    const struct claim *claim,
    const struct id *subscription_id,
    struct payment_method_request *request)
{
    const char *text = id_text(cx->arena, ID_SUBSCRIPTION, subscription_id);
    struct subscription row;

    TRY(subscription_store_lock(cx, tx, subscription_id, &row));
    if (!id_equal(&row.customer_id, &claim->customer.customer_id)) {
        return status_pair(
            cx,
            status_fail(
                cx, REASON_SUBSCRIPTION_NOT_FOUND, "subscription \"%s\" does not exist", text),
            "subscription_id",
            text);
    }
    if (subscription_status_ended(row.status) || row.stripe_subscription_id[0] == '\0') {
        return status_pair(
            cx,
            status_pair(
                cx, status_of(cx, REASON_SUBSCRIPTION_STATE_INVALID), "subscription_id", text),
            "status",
            subscription_status_name(row.status));
    }
    request->subscriptions[request->subscription_count++] = row.stripe_subscription_id;
    return STATUS_OK;
}

static struct status prepare_default(
    struct ctx *cx,
    struct tx *tx,
    const struct claim *claim,
    struct payment_method_request *request)
{
    const struct payment_method_change *change = claim->change;
    struct payment_method method;

    TRY(find_method(cx, tx, claim, &method));
    if (method.detached) {
        return status_pair(
            cx,
            status_of(cx, REASON_PAYMENT_METHOD_NOT_FOUND),
            "payment_method_id",
            method.payment_method_id);
    }
    for (size_t i = 0; i < change->subscription_count; i++) {
        TRY(add_subscription(cx, tx, claim, &change->subscription_ids[i], request));
    }
    return STATUS_OK;
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    struct claim *claim = user;
    struct payment_method_request request = {
        .verb = claim->verb,
        .payment_method_id = claim->change->payment_method_id,
        .make_default = claim->change->make_default,
    };
    struct audit_changes changes = {0};

    (void)services;
    TRY(customer_store_lock(cx, tx, &claim->change->customer, &claim->customer));
    if (strcmp(claim->verb, PAYMENT_METHOD_ATTACH) == 0) {
        TRY(customer_check_active(cx, &claim->customer));
    } else if (strcmp(claim->verb, PAYMENT_METHOD_DETACH) == 0) {
        TRY(prepare_detach(cx, tx, claim, &request));
    } else {
        TRY(prepare_default(cx, tx, claim, &request));
    }
    if (strcmp(request.verb, PAYMENT_METHOD_NOTHING) != 0) {
        TRY(claim->account_status);
    }
    request.customer = (struct customer_there){
        .account_id = claim->account.account_id,
        .org_id = id_text(cx->arena, ID_ORGANIZATION, &cx->caller.org),
        .customer_id = claim->customer.customer_id,
        .email = claim->customer.email,
        .name = claim->customer.name,
    };
    intent->subject_id = claim->customer.customer_id;
    intent->request = payment_method_request_write(cx, &request);
    audit_note(&changes, "payment_method", "", request.verb);
    return audit_add(
        cx,
        tx,
        "customer",
        id_text(cx->arena, ID_CUSTOMER, &claim->customer.customer_id),
        &changes);
}

static struct status
run(struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_method_change *change,
    const char *verb,
    const char **ret_answer)
{
    struct claim claim = {.change = change, .verb = verb, .account = {.account_id = ""}};
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = payment_methods_drive,
        .user = &claim,
    };
    struct str answer = {"", 0};
    bool replayed = false;

    claim.account_status = payment_accounts_get(cx, services, &claim.account);
    if (claim.account_status.code == CODE_UNAVAILABLE) {
        return claim.account_status;
    }
    TRY(intents_run(cx, services, &call, &answer, &replayed));
    *ret_answer = arena_text_n(cx->arena, answer.ptr, answer.len);
    return STATUS_OK;
}

struct status payment_methods_attach(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_method_change *change,
    struct payment_method *ret_method)
{
    const char *answer = NULL;

    TRY(run(cx, services, keyed, change, PAYMENT_METHOD_ATTACH, &answer));
    return payment_method_snapshot_read(cx, answer, ret_method);
}

struct status payment_methods_set_default(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_method_change *change,
    struct customer *ret_customer)
{
    const char *answer = NULL;

    TRY(run(cx, services, keyed, change, PAYMENT_METHOD_SET_DEFAULT, &answer));
    return customer_snapshot_read(cx, answer, ret_customer);
}

struct status payment_methods_detach(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct payment_method_change *change)
{
    const char *answer = NULL;

    return run(cx, services, keyed, change, PAYMENT_METHOD_DETACH, &answer);
}

static struct status tell_expiring(struct ctx *cx, struct tx *tx, void *user)
{
    const struct payment_method *method = user;
    bool first = false;

    TRY(payment_method_store_tell_expiry(cx, tx, method->payment_method_id, &first));
    return first ? payment_method_tell(cx, tx, EVENT_PAYMENT_METHOD_EXPIRING, method) : STATUS_OK;
}

struct status payment_methods_tell_expiring(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    struct payment_method *methods = NULL;
    int64_t *org_ids = NULL;

    TRY(payment_method_store_expiring(cx, services->db, max, &methods, &org_ids, ret_count));
    for (size_t i = 0; i < *ret_count; i++) {
        struct ctx one = *cx;

        one.caller.org_id = org_ids[i];
        one.caller.live = org_ids[i] % 2 == 0;
        TRY(tx_run(&one, services->db, tell_expiring, &methods[i]));
    }
    return STATUS_OK;
}
