#include "sandbox/payment_method.h"

#include <string.h>

#include "base/ctx.h"
#include "sandbox/call.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

/* Published code spells some of these with "visa_" and some without; both are accepted. */
static const struct test_card cards[] = {
    {"visa", "visa", "4242", NULL, false, false},
    {"visa_debit", "visa", "5556", NULL, false, false},
    {"mastercard", "mastercard", "4444", NULL, false, false},
    {"amex", "amex", "8431", NULL, false, false},
    {"discover", "discover", "9424", NULL, false, false},
    {"chargeCustomerFail", "visa", "0341", "generic_decline", false, false},
    {"chargeDeclined", "visa", "0002", "generic_decline", true, false},
    {"chargeDeclinedInsufficientFunds", "visa", "9995", "insufficient_funds", true, false},
    {"chargeDeclinedLostCard", "visa", "9987", "lost_card", true, false},
    {"chargeDeclinedStolenCard", "visa", "9979", "stolen_card", true, false},
    {"chargeDeclinedExpiredCard", "visa", "0069", "expired_card", true, false},
    {"chargeDeclinedIncorrectCvc", "visa", "0127", "incorrect_cvc", true, false},
    {"chargeDeclinedProcessingError", "visa", "0119", "processing_error", true, false},
    {"chargeDeclinedFraudulent", "visa", "4954", "fraudulent", true, false},
    {"authenticationRequired", "visa", "3184", "authentication_required", false, true},
    {"threeDSecure2Required", "visa", "3220", "authentication_required", false, true},
};

struct decline_text {
    const char *decline_code;
    const char *code;
    const char *message;
    const char *advice;
    bool hard;
};

static const struct decline_text declines[] = {
    {"generic_decline", "card_declined", "Your card was declined.", NULL, false},
    {"insufficient_funds",
     "card_declined",
     "Your card has insufficient funds.",
     "try_again_later",
     false},
    {"do_not_honor", "card_declined", "Your card was declined.", "try_again_later", false},
    {"expired_card", "expired_card", "Your card has expired.", "do_not_try_again", false},
    {"incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", NULL, false},
    {"processing_error",
     "processing_error",
     "An error occurred while processing your card. Try again in a little bit.",
     "try_again_later",
     false},
    {"incorrect_number", "incorrect_number", "Your card number is incorrect.", NULL, true},
    {"lost_card", "card_declined", "Your card was declined.", "do_not_try_again", true},
    {"stolen_card", "card_declined", "Your card was declined.", "do_not_try_again", true},
    {"pickup_card", "card_declined", "Your card was declined.", "do_not_try_again", true},
    {"highest_risk_level", "card_declined", "Your card was declined.", NULL, true},
    {"transaction_not_allowed",
     "card_declined",
     "Your card does not support this type of purchase.",
     NULL,
     true},
    {"revocation_of_authorization",
     "card_declined",
     "Your card was declined.",
     "do_not_try_again",
     true},
    {"revocation_of_all_authorizations",
     "card_declined",
     "Your card was declined.",
     "do_not_try_again",
     true},
    {"authentication_required",
     "authentication_required",
     "Your card was declined. This transaction requires authentication.",
     NULL,
     true},
};

struct decline payment_method_decline(const char *decline_code)
{
    struct decline decline = {
        decline_code, "card_declined", "Your card was declined.", NULL, false};

    for (size_t i = 0; i < ARRAY_LEN(declines); i++) {
        if (strcmp(declines[i].decline_code, decline_code) == 0) {
            decline.code = declines[i].code;
            decline.message = declines[i].message;
            decline.advice = declines[i].advice;
            decline.hard = declines[i].hard;
        }
    }
    return decline;
}

static const struct test_card *find_card(const char *id)
{
    const char *name = NULL;

    if (strncmp(id, "pm_card_", 8) == 0) {
        name = id + 8;
    } else if (strncmp(id, "tok_", 4) == 0) {
        name = id + 4;
    } else {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(cards); i++) {
        if (strcmp(cards[i].name, name) == 0 ||
            (strncmp(name, "visa_", 5) == 0 && strcmp(cards[i].name, name + 5) == 0)) {
            return &cards[i];
        }
    }
    return NULL;
}

static bool fail_attach(struct call *call, const struct test_card *card)
{
    const struct decline decline = payment_method_decline(card->decline);

    call_fail(call, 402, decline.code, NULL, "%s", decline.message);
    call->failure.decline_code = decline.decline_code;
    call->failure.advice_code = decline.advice;
    return false;
}

bool payment_method_prepare(
    struct call *call, const char *id, const char *param, struct payment_method **ret)
{
    const struct test_card *card = find_card(id);
    struct payment_method *method = NULL;

    if (card == NULL) {
        method = object_find(call->sim, call->account, KIND_PAYMENT_METHOD, id);
        if (method == NULL) {
            return call_fail_missing(call, KIND_PAYMENT_METHOD, id, param);
        }
        card = method->card;
    }
    if (card->decline_on_attach) {
        return fail_attach(call, card);
    }
    if (method == NULL) {
        method = object_new(call->sim, call->account, KIND_PAYMENT_METHOD, sizeof *method, NULL);
        method->card = card;
    }
    *ret = method;
    return true;
}

void payment_method_attach(
    struct sim *sim, struct payment_method *method, struct customer *customer)
{
    if (method->customer == customer) {
        return;
    }
    method->customer = customer;
    event_emit(sim, "payment_method.attached", method, NULL);
}

struct payment_method *
payment_method_of(const struct sim *sim, const struct customer *customer, const char *id)
{
    struct payment_method *method =
        object_find(sim, customer->object.owner, KIND_PAYMENT_METHOD, id);

    return method != NULL && method->customer == customer ? method : NULL;
}

static void render_card(struct render *render, const struct test_card *card)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "card");
    json_put_text(w, "brand", card->brand);
    json_open_object(w, "checks");
    render_nulls(render, "address_line1_check address_postal_code_check");
    json_put_text(w, "cvc_check", "pass");
    json_close_object(w);
    json_put_text(w, "country", "US");
    json_put_text(w, "display_brand", card->brand);
    json_put_i64(w, "exp_month", 12);
    json_put_i64(w, "exp_year", 2034);
    json_put_text(w, "fingerprint", card->name);
    json_put_text(w, "funding", "credit");
    render_nulls(render, "generated_from");
    json_put_text(w, "last4", card->last4);
    json_open_object(w, "networks");
    render_texts(render, "available", card->brand);
    render_nulls(render, "preferred");
    json_close_object(w);
    json_put_text(w, "regulated_status", "unregulated");
    json_open_object(w, "three_d_secure_usage");
    json_put_bool(w, "supported", true);
    json_close_object(w);
    render_nulls(render, "wallet");
    json_close_object(w);
}

void payment_method_render(struct render *render, const struct object *object)
{
    const struct payment_method *method = (const struct payment_method *)object;
    struct json_writer *w = &render->writer;

    json_put_text(w, "allow_redisplay", "unspecified");
    json_open_object(w, "billing_details");
    render_no_address(render, "address");
    json_put_text(w, "email", method->email);
    json_put_text(w, "name", method->name);
    render_nulls(render, "phone tax_id");
    json_close_object(w);
    render_card(render, method->card);
    json_put_i64(w, "created", object->created_s);
    render_ref(render, "customer", method->customer);
    render_nulls(render, "customer_account");
    json_put_bool(w, "livemode", false);
    metadata_render(render, "metadata", &method->metadata);
    json_put_text(w, "type", "card");
}
