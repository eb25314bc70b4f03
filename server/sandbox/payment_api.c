#include "sandbox/payment_api.h"

#include <string.h>

#include "sandbox/charge.h"
#include "sandbox/customer.h"
#include "sandbox/invoice.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/payment_intent.h"
#include "sandbox/payment_method.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"

static bool intent_retrieve(struct call *call)
{
    struct payment_intent *intent = NULL;

    return call_find_path(call, KIND_PAYMENT_INTENT, &intent) && call_reply(call, intent);
}

static const struct param intent_list_params[] = {
    {"customer", PARAM_TEXT, 0, NULL},
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

static bool intent_match(const struct call *call, const struct object *object)
{
    return list_ref_matches(call, "customer", ((const struct payment_intent *)object)->customer) &&
           list_time_matches(call, "created", object->created_s);
}

static bool intent_list(struct call *call)
{
    return list_reply(call, KIND_PAYMENT_INTENT, intent_match);
}

static const struct param confirm_params[] = {
    {"payment_method", PARAM_TEXT, 0, NULL},
    {"return_url", PARAM_TEXT, 0, NULL},
    {"off_session", PARAM_BOOL, 0, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

/* A new card belongs to the customer afterwards, and pays the next invoices when the subscription
 * says so. */
static void
keep_method(struct sim *sim, struct payment_intent *intent, struct payment_method *method)
{
    struct subscription *subscription = intent->invoice->subscription;

    payment_method_attach(sim, method, intent->customer);
    if (subscription->save_method != NULL &&
        strcmp(subscription->save_method, "on_subscription") == 0) {
        subscription->default_payment_method = method;
    }
}

static bool intent_confirm(struct call *call)
{
    const char *method_id = call_text(call, "payment_method");
    struct payment_intent *intent = NULL;
    struct payment_method *method = NULL;

    if (!call_find_path(call, KIND_PAYMENT_INTENT, &intent)) {
        return false;
    }
    if (intent->status == INTENT_SUCCEEDED || intent->status == INTENT_CANCELED) {
        return call_fail(
            call,
            400,
            "payment_intent_unexpected_state",
            NULL,
            "You cannot confirm this PaymentIntent because it has already succeeded or been "
            "canceled.");
    }
    method = intent->method;
    if (method_id != NULL) {
        method = payment_method_of(call->sim, intent->customer, method_id);
        if (method == NULL && !payment_method_prepare(call, method_id, "payment_method", &method)) {
            return false;
        }
    }
    if (method == NULL) {
        return call_fail(
            call,
            400,
            "payment_intent_unexpected_state",
            "payment_method",
            "You cannot confirm this PaymentIntent because it's missing a payment method.");
    }
    if (payment_intent_attempt(call->sim, intent, method, call_bool(call, "off_session", false))) {
        keep_method(call->sim, intent, method);
        invoice_mark_paid(call->sim, intent->invoice, /* out_of_band= */ false);
        return call_reply(call, intent);
    }
    invoice_mark_failed(call->sim, intent->invoice, ATTEMPT_MANUAL);
    if (intent->status == INTENT_REQUIRES_ACTION) {
        return call_reply(call, intent);
    }
    call_fail(call, 402, intent->last_error.code, NULL, "%s", intent->last_error.message);
    call->failure.decline_code = intent->last_error.decline_code;
    call->failure.advice_code = intent->last_error.advice;
    call->failure.payment_intent = &intent->object;
    return false;
}

static bool charge_retrieve(struct call *call)
{
    struct charge *charge = NULL;

    return call_find_path(call, KIND_CHARGE, &charge) && call_reply(call, charge);
}

static const struct param charge_list_params[] = {
    {"customer", PARAM_TEXT, 0, NULL},
    {"payment_intent", PARAM_TEXT, 0, NULL},
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

static bool charge_match(const struct call *call, const struct object *object)
{
    const struct charge *charge = (const struct charge *)object;

    return list_ref_matches(call, "customer", charge->intent->customer) &&
           list_ref_matches(call, "payment_intent", charge->intent) &&
           list_time_matches(call, "created", object->created_s);
}

static bool charge_list(struct call *call)
{
    return list_reply(call, KIND_CHARGE, charge_match);
}

const struct endpoint payment_api[] = {
    {"GET",
     "/v1/payment_intents",
     intent_list,
     intent_list_params,
     KIND_PAYMENT_INTENT,
     ENDPOINT_LIST},
    {"GET", "/v1/payment_intents/{}", intent_retrieve, NULL, KIND_PAYMENT_INTENT, 0},
    {"POST",
     "/v1/payment_intents/{}/confirm",
     intent_confirm,
     confirm_params,
     KIND_PAYMENT_INTENT,
     0},
    {"GET", "/v1/charges", charge_list, charge_list_params, KIND_CHARGE, ENDPOINT_LIST},
    {"GET", "/v1/charges/{}", charge_retrieve, NULL, KIND_CHARGE, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
