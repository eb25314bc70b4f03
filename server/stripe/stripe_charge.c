#include "stripe/stripe_charge.h"

#include <string.h>

#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

/* The bank's word, where it was the bank; else the payment side's. */
static const char *decline_code(struct ctx *cx, json_value object)
{
    const char *reason = json_text(cx, object, "outcome.reason");
    const char *type = json_text(cx, object, "outcome.type");

    return strcmp(type, "issuer_declined") == 0 && reason[0] != '\0'
               ? reason
               : json_text(cx, object, "failure_code");
}

static void read_charge(struct ctx *cx, json_value object, struct payment_charge *ret_charge)
{
    const char *currency = stripe_value_currency(cx, object, "currency");

    *ret_charge = (struct payment_charge){
        .id = json_text(cx, object, "id"),
        .customer_id = stripe_value_reference(cx, object, "customer"),
        .payment_intent_id = stripe_value_reference(cx, object, "payment_intent"),
        .status_text = json_text(cx, object, "status"),
        .currency = currency,
        .amount_minor = stripe_value_minor(object, "amount", currency),
        .decline_code = decline_code(cx, object),
        .advice_code = json_text(cx, object, "outcome.advice_code"),
        .payment_method_id = json_text(cx, object, "payment_method"),
        .card_brand = json_text(cx, object, "payment_method_details.card.brand"),
        .card_last4 = json_text(cx, object, "payment_method_details.card.last4"),
        .created_us = stripe_value_time(object, "created"),
        .live = json_bool(object, "livemode"),
    };
}

struct status stripe_charge_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *charge_id,
    struct payment_charge *ret_charge)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;
    struct stripe_call call = {
        .endpoint = "charges.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .object = "charge",
    };

    TRY(stripe_value_path(cx, "/v1/charges/", charge_id, "", &call.path));
    TRY(stripe_client_call(cx, client, &call, &json, &raw));
    read_charge(cx, json_root(json), ret_charge);
    return STATUS_OK;
}
