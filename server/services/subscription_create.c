#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "http/json.h"
#include "services/customer_there.h"
#include "services/payment_decline.h"
#include "services/services.h"
#include "services/subscription_mirror.h"
#include "services/subscription_request.h"
#include "services/subscription_snapshot.h"
#include "services/subscriptions.h"
#include "services/webhook_event.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/subscriber_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_payment_method.h"
#include "stripe/stripe_subscription.h"

/* Tries before the effect is asked for with another key: the payment side repeats the first answer
 * to a key, even when that was a fault of its own. From the second try on the effect is looked for
 * first, since that fault may have come after it. */
#define BLIND_ATTEMPTS_MAX 3
#define SETTLED_US (10 * US_PER_MINUTE) /* no earlier try is still under way there */
#define PAGE_MAX 100

/* One drive of one intent. */
struct creation {
    struct services *services;
    struct intent *intent;
    struct subscription_request request;
    struct stripe_client *client;
    const char *customer; /* id at the payment side */
    struct payment_subscription made;
    int64_t fetch_number;
    struct status failure; /* when it is given up */
    struct intent stored;
};

static struct status ensure_customer(struct ctx *cx, struct creation *creation)
{
    const struct subscription_request *request = &creation->request;
    const struct customer_there who = {
        .account_id = request->account_id,
        .org_id = request->org_id,
        .customer_id = request->customer_id,
        .email = request->customer_email,
        .name = request->customer_name,
    };

    return customer_there_ensure(
        cx, creation->services, creation->client, creation->intent, &who, &creation->customer);
}

/* A token becomes a payment method of the customer; the key makes it the same one with every try.
 */
static struct status
ensure_payment_method(struct ctx *cx, struct creation *creation, const char **ret_payment_method)
{
    const struct subscription_request *request = &creation->request;
    struct payment_instrument instrument;

    *ret_payment_method = "";
    if (request->payment_method_id[0] == '\0') {
        return STATUS_OK;
    }
    TRY(stripe_payment_method_attach(
        cx,
        creation->client,
        request->account_id,
        request->payment_method_id,
        creation->customer,
        intents_key(cx, creation->services, creation->intent, "payment_method"),
        &instrument));
    *ret_payment_method = instrument.id;
    return STATUS_OK;
}

static struct status
create_there(struct ctx *cx, struct creation *creation, const char *payment_method)
{
    const struct subscription_request *request = &creation->request;
    struct stripe_subscription_line lines[SUBSCRIPTION_ITEMS_MAX];
    const struct stripe_subscription_params params = {
        .customer_id = creation->customer,
        .lines = lines,
        .line_count = request->line_count,
        .trial_end_us = request->trial_end_us,
        .trial_days = request->trial_days,
        .trial_end_behavior = request->trial_end_behavior,
        .anchor_us = request->anchor_us,
        .backdate_us = request->backdate_us,
        .default_payment_method = payment_method,
        .payment_behavior = request->payment_behavior,
        .by_invoice = request->by_invoice,
        .days_until_due = request->days_until_due,
        .application_fee_bps = request->application_fee_bps,
        .coupon = request->coupon,
        .marks =
            {
                .org_id = request->org_id,
                .object_id = id_text(cx->arena, ID_SUBSCRIPTION, &creation->intent->subject_id),
                .operation_id = intents_mark(cx, creation->intent),
            },
    };

    for (size_t i = 0; i < request->line_count; i++) {
        lines[i] = (struct stripe_subscription_line){
            request->lines[i].stripe_price_id, request->lines[i].quantity};
    }
    /* Before the call: whatever is read later is newer than its answer. */
    TRY(dirty_object_store_fetch_number(cx, creation->services->db, &creation->fetch_number));
    return stripe_subscription_create(
        cx,
        creation->client,
        request->account_id,
        &params,
        intents_key(cx, creation->services, creation->intent, "subscription"),
        &creation->made);
}

/* Looks for what an earlier try made, by its mark. */
static struct status look_for_it(struct ctx *cx, struct creation *creation, bool *ret_found)
{
    const char *mark = intents_mark(cx, creation->intent);
    struct payment_subscription_page page = {.has_more = true};
    const char *after = "";

    *ret_found = false;
    if (creation->customer[0] == '\0') {
        return STATUS_OK; /* without a customer nothing can have been sold */
    }
    TRY(dirty_object_store_fetch_number(cx, creation->services->db, &creation->fetch_number));
    while (page.has_more) {
        TRY(stripe_subscription_list(
            cx,
            creation->client,
            creation->request.account_id,
            creation->customer,
            after,
            PAGE_MAX,
            &page));
        for (size_t i = 0; i < page.count; i++) {
            if (strcmp(page.subscriptions[i].marks.operation_id, mark) == 0) {
                creation->made = page.subscriptions[i];
                *ret_found = true;
                return STATUS_OK;
            }
            after = page.subscriptions[i].id;
        }
        page.has_more = page.has_more && page.count > 0; /* an empty page leads nowhere */
    }
    return STATUS_OK;
}

static struct status find_customer(struct ctx *cx, struct creation *creation)
{
    struct subscriber subscriber;

    TRY(subscriber_store_load(
        cx, creation->services->db, &creation->request.customer_id, NULL, &subscriber));
    creation->customer = subscriber.stripe_customer_id;
    return STATUS_OK;
}

/* Whether an earlier try came through. *ret_over: none did, and it is not asked for any more. */
static struct status
look_back(struct ctx *cx, struct creation *creation, bool *ret_found, bool *ret_over)
{
    struct intent *intent = creation->intent;
    const int64_t age_us = cx->now_us - intent->created_us;
    const bool too_old = age_us > INTENTS_HORIZON_US;

    *ret_over = false;
    if (intent->attempts <= 1 && !too_old) {
        return STATUS_OK;
    }
    TRY(find_customer(cx, creation));
    TRY(look_for_it(cx, creation, ret_found));
    *ret_over = too_old && !*ret_found;
    return !too_old && !*ret_found && intent->attempts >= BLIND_ATTEMPTS_MAX && age_us > SETTLED_US
               ? intents_next_generation(cx, creation->services, intent)
               : STATUS_OK;
}

static struct status ask_for_it(struct ctx *cx, struct creation *creation)
{
    const char *payment_method = "";

    TRY(ensure_customer(cx, creation));
    TRY(ensure_payment_method(cx, creation, &payment_method));
    return create_there(cx, creation, payment_method);
}

/* The effect, by asking for it or by finding it. *ret_given_up: it is known to be absent and is not
 * asked for any more. */
static struct status
call_payment_side(struct ctx *cx, struct creation *creation, bool *ret_given_up)
{
    struct status status;
    bool found = false;

    *ret_given_up = false;
    TRY(services_payment_client(cx, creation->services, &creation->client));
    TRY(look_back(cx, creation, &found, ret_given_up));
    if (found || *ret_given_up) {
        return found ? STATUS_OK : status_of(cx, REASON_PAYMENT_SIDE_UNAVAILABLE);
    }
    status = ask_for_it(cx, creation);
    *ret_given_up = status_reason(status) == REASON_PAYMENT_DECLINED ||
                    (status.code != CODE_OK && intents_absent(creation->intent, status));
    return status;
}

/* What else has changed there with it is read anew; "" = nothing. */
static struct status
mark_changed(struct ctx *cx, struct tx *tx, const char *object_type, const char *object_id)
{
    const struct dirty_object object = {
        .org_id = cx->caller.org_id,
        .object_type = object_type,
        .object_id = object_id,
        .first_seen_us = cx->now_us,
    };

    return object_id[0] == '\0' ? STATUS_OK : dirty_object_store_mark(cx, tx, &object, 1);
}

static struct status settle_made(struct ctx *cx, struct tx *tx, void *user)
{
    struct creation *creation = user;
    struct subscription_applied applied;
    const char *answer = NULL;

    TRY(subscription_apply(
        cx, creation->services, tx, &creation->made, creation->fetch_number, &applied));
    if (!applied.known) {
        return status_fail(cx, REASON_INTERNAL, "the subscription that was made is not ours");
    }
    TRY(mark_changed(cx, tx, WEBHOOK_OBJECT_INVOICE, creation->made.latest_invoice_id));
    TRY(mark_changed(cx, tx, WEBHOOK_OBJECT_COUPON, creation->request.coupon));
    answer = subscription_snapshot_write(cx, &applied.subscription, NULL);
    TRY(intents_done(cx, tx, creation->intent, str_of(answer), &creation->stored));
    failpoint("subscription.settling");
    return STATUS_OK;
}

/* A decline is an effect, and the answer to every repeat. Anything else left nothing behind there,
 * so that the same request_id may be tried again; the row stays as the story of this try. */
static struct status settle_failed(struct ctx *cx, struct tx *tx, void *user)
{
    struct creation *creation = user;
    const enum reason reason = status_reason(creation->failure);
    const bool declined = reason == REASON_PAYMENT_DECLINED;
    const char *decline_code = "";

    for (size_t i = 0; i < creation->failure.error->pair_count; i++) {
        if (strcmp(creation->failure.error->pairs[i].key, "decline_code") == 0) {
            decline_code = creation->failure.error->pairs[i].value;
        }
    }
    TRY(subscription_give_up(cx, tx, &creation->intent->subject_id, reason, decline_code));
    failpoint("subscription.settling");
    return declined ? intents_failed(cx, tx, creation->intent, creation->failure)
                    : intents_forget(cx, tx, creation->intent);
}

/* What callers are told: in the words of our own API where it has them. */
static struct status told(struct ctx *cx, const struct creation *creation, struct status failure)
{
    const struct subscription_request *request = &creation->request;
    const struct payment_error *error =
        creation->client == NULL ? NULL : stripe_client_error(creation->client);
    const bool missing = error != NULL && status_reason(failure) == REASON_PAYMENT_SIDE_REJECTED &&
                         strcmp(error->code, "resource_missing") == 0;

    if (status_reason(failure) == REASON_PAYMENT_DECLINED && error != NULL) {
        return payment_decline(
            cx, error, id_text(cx->arena, ID_SUBSCRIPTION, &creation->intent->subject_id));
    }
    if (missing && error->failure == PAYMENT_FAILURE_NOT_FOUND &&
        request->payment_method_id[0] != '\0') {
        return status_pair(
            cx,
            status_of(cx, REASON_PAYMENT_METHOD_NOT_FOUND),
            "payment_method_id",
            request->payment_method_id);
    }
    if (missing && error->param[0] == '\0' && request->payment_method_id[0] == '\0') {
        return status_pair(
            cx,
            status_of(cx, REASON_PAYMENT_METHOD_MISSING),
            "customer_id",
            id_text(cx->arena, ID_CUSTOMER, &request->customer_id));
    }
    return failure;
}

struct status subscriptions_create_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct creation creation = {.services = services, .intent = intent, .customer = ""};
    struct status status;
    struct ctx settle_cx;
    bool given_up = false;

    failpoint("subscription.claimed");
    TRY(subscription_request_read(cx, intent->request, &creation.request));
    status = call_payment_side(cx, &creation, &given_up);
    failpoint("subscription.called");
    settle_cx = intents_settle_context(cx);
    if (status.code == CODE_OK) {
        TRY(tx_run(&settle_cx, services->db, settle_made, &creation));
        failpoint("subscription.settled");
        if (services->wake_webhooks != NULL) {
            services->wake_webhooks(services->wake_user); /* for the invoice */
        }
        return intents_answer(cx, &creation.stored, ret_result);
    }
    if (!given_up) {
        return status;
    }
    creation.failure = told(cx, &creation, status);
    TRY(tx_run(&settle_cx, services->db, settle_failed, &creation));
    failpoint("subscription.settled");
    log_info(
        cx,
        "subscription failed",
        LOG_ID("subscription", ID_SUBSCRIPTION, &intent->subject_id),
        LOG_STATUS(creation.failure));
    ret_result->settled = true;
    return creation.failure;
}
