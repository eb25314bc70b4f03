#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "domain/decline.h"
#include "services/customer_mirror.h"
#include "services/customer_snapshot.h"
#include "services/payment_method_mirror.h"
#include "services/payment_method_request.h"
#include "services/services.h"
#include "services/webhook_event.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/subscriber_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_customer.h"
#include "stripe/stripe_payment_method.h"
#include "stripe/stripe_subscription.h"

/* One drive of one intent. */
struct change {
    struct services *services;
    const struct intent *intent;
    struct payment_method_request request;
    struct stripe_client *client;
    const char *customer; /* id at the payment side */
    struct payment_instrument instrument;
    int64_t instrument_number; /* 0: nothing was read */
    struct payment_customer read_customer;
    int64_t customer_number; /* 0: nothing was read */
    struct status failure;
    struct intent stored;
};

static bool is_verb(const struct change *change, const char *verb)
{
    return strcmp(change->request.verb, verb) == 0;
}

static struct status choose(struct ctx *cx, struct change *change, const char *payment_method_id)
{
    TRY(dirty_object_store_fetch_number(cx, change->services->db, &change->customer_number));
    return stripe_customer_set_default(
        cx,
        change->client,
        change->request.customer.account_id,
        change->customer,
        payment_method_id,
        intents_key(cx, change->services, change->intent, "default"),
        &change->read_customer);
}

static struct status attach(struct ctx *cx, struct change *change)
{
    const struct payment_method_request *request = &change->request;

    TRY(customer_there_ensure(
        cx,
        change->services,
        change->client,
        change->intent,
        &request->customer,
        &change->customer));
    TRY(dirty_object_store_fetch_number(cx, change->services->db, &change->instrument_number));
    TRY(stripe_payment_method_attach(
        cx,
        change->client,
        request->customer.account_id,
        request->payment_method_id,
        change->customer,
        intents_key(cx, change->services, change->intent, "attach"),
        &change->instrument));
    return request->make_default ? choose(cx, change, change->instrument.id) : STATUS_OK;
}

static struct status set_default(struct ctx *cx, struct change *change)
{
    const struct payment_method_request *request = &change->request;
    struct subscriber subscriber;

    TRY(subscriber_store_load(
        cx, change->services->db, &request->customer.customer_id, NULL, &subscriber));
    change->customer = subscriber.stripe_customer_id;
    if (change->customer[0] == '\0') {
        return status_of(cx, REASON_PAYMENT_METHOD_NOT_FOUND); /* deleted there meanwhile */
    }
    TRY(choose(cx, change, request->payment_method_id));
    for (size_t i = 0; i < request->subscription_count; i++) {
        const char *step = arena_printf(cx->arena, "subscription%zu", i);

        TRY(stripe_subscription_set_payment_method(
            cx,
            change->client,
            request->customer.account_id,
            request->subscriptions[i],
            request->payment_method_id,
            intents_key(cx, change->services, change->intent, step)));
    }
    return STATUS_OK;
}

/* That it is nobody's already is what was asked for. */
static struct status detach(struct ctx *cx, struct change *change)
{
    const struct payment_method_request *request = &change->request;
    struct status status;

    TRY(dirty_object_store_fetch_number(cx, change->services->db, &change->instrument_number));
    status = stripe_payment_method_detach(
        cx,
        change->client,
        request->customer.account_id,
        request->payment_method_id,
        intents_key(cx, change->services, change->intent, "detach"),
        &change->instrument);
    if (status_reason(status) == REASON_PAYMENT_SIDE_REJECTED) {
        TRY(stripe_payment_method_retrieve(
            cx,
            change->client,
            request->customer.account_id,
            request->payment_method_id,
            &change->instrument));
        return change->instrument.customer_id[0] == '\0' ? STATUS_OK : status;
    }
    return status;
}

static struct status call_payment_side(struct ctx *cx, struct change *change)
{
    if (is_verb(change, PAYMENT_METHOD_NOTHING)) {
        return STATUS_OK;
    }
    TRY(services_payment_client(cx, change->services, &change->client));
    return is_verb(change, PAYMENT_METHOD_ATTACH)   ? attach(cx, change)
           : is_verb(change, PAYMENT_METHOD_DETACH) ? detach(cx, change)
                                                    : set_default(cx, change);
}

/* What else is different there now is read anew. */
static struct status mark_subscriptions(struct ctx *cx, struct tx *tx, const struct change *change)
{
    struct dirty_object objects[PAYMENT_METHOD_SUBSCRIPTIONS_MAX];

    for (size_t i = 0; i < change->request.subscription_count; i++) {
        objects[i] = (struct dirty_object){
            .org_id = cx->caller.org_id,
            .object_type = WEBHOOK_OBJECT_SUBSCRIPTION,
            .object_id = change->request.subscriptions[i],
            .first_seen_us = cx->now_us,
        };
    }
    return dirty_object_store_mark(cx, tx, objects, change->request.subscription_count);
}

static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    struct change *change = user;
    const struct customer_key key = {.customer_id = &change->request.customer.customer_id};
    struct payment_method method = {.payment_method_id = ""};
    struct customer customer;
    const char *answer = "{}";

    /* The customer first: it is locked before what belongs to it everywhere. */
    TRY(customer_store_lock(cx, tx, &key, &customer));
    if (change->customer_number != 0) {
        TRY(customer_apply(cx, tx, &change->read_customer, change->customer_number));
    }
    if (change->instrument_number != 0) {
        TRY(payment_method_apply(cx, tx, &change->instrument, change->instrument_number, &method));
    }
    TRY(mark_subscriptions(cx, tx, change));
    if (is_verb(change, PAYMENT_METHOD_ATTACH)) {
        if (method.payment_method_id[0] == '\0') {
            return status_fail(cx, REASON_INTERNAL, "the payment method is of no customer of ours");
        }
        answer = payment_method_snapshot_write(cx, &method);
    } else if (is_verb(change, PAYMENT_METHOD_SET_DEFAULT)) {
        TRY(customer_store_load(cx, NULL, tx, &key, &customer));
        answer = customer_snapshot_write(cx, &customer);
    }
    return intents_done(cx, tx, change->intent, str_of(answer), &change->stored);
}

/* A decline is the answer to every repeat; anything else left nothing behind. */
static struct status settle_failed(struct ctx *cx, struct tx *tx, void *user)
{
    const struct change *change = user;

    return status_reason(change->failure) == REASON_PAYMENT_DECLINED
               ? intents_failed(cx, tx, change->intent, change->failure)
               : intents_forget(cx, tx, change->intent);
}

/* In the words of our own API. */
static struct status told(struct ctx *cx, const struct change *change, struct status failure)
{
    const struct payment_error *error =
        change->client == NULL ? NULL : stripe_client_error(change->client);

    if (status_reason(failure) == REASON_PAYMENT_DECLINED && error != NULL) {
        const char *code = error->decline_code[0] != '\0' ? error->decline_code : error->code;

        return status_pair(
            cx,
            status_pair(
                cx,
                status_fail(cx, REASON_PAYMENT_DECLINED, "the payment was declined: %s", code),
                "decline_code",
                code),
            "decline_class",
            decline_class_name(decline_class_of(code)));
    }
    if (status_reason(failure) == REASON_PAYMENT_METHOD_NOT_FOUND ||
        (!is_verb(change, PAYMENT_METHOD_ATTACH) &&
         status_reason(failure) == REASON_PAYMENT_SIDE_REJECTED && error != NULL &&
         strcmp(error->code, "resource_missing") == 0)) {
        return status_pair(
            cx,
            status_of(cx, REASON_PAYMENT_METHOD_NOT_FOUND),
            "payment_method_id",
            change->request.payment_method_id);
    }
    return failure;
}

static bool given_up(const struct ctx *cx, const struct intent *intent, struct status failure)
{
    const enum reason reason = status_reason(failure);

    return reason == REASON_PAYMENT_DECLINED || reason == REASON_PAYMENT_METHOD_NOT_FOUND ||
           intents_absent(intent, failure) || cx->now_us - intent->created_us >= INTENTS_HORIZON_US;
}

struct status payment_methods_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct change change = {.services = services, .intent = intent};
    struct status status;
    struct ctx settle_cx;

    failpoint("payment_method.claimed");
    TRY(payment_method_request_read(cx, intent->request, &change.request));
    status = call_payment_side(cx, &change);
    failpoint("payment_method.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(tx_run(&settle_cx, services->db, settle, &change));
        failpoint("payment_method.settled");
        return intents_answer(cx, &change.stored, ret_result);
    }
    if (!given_up(cx, intent, status)) {
        return status;
    }
    /* What became of it is told by the mirror; the change itself may be asked for again. */
    change.failure = told(cx, &change, status);
    TRY(tx_run(&settle_cx, services->db, settle_failed, &change));
    ret_result->settled = true;
    return change.failure;
}
