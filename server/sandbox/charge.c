#include "sandbox/charge.h"

#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/payment_intent.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

struct charge *charge_new(
    struct sim *sim,
    struct payment_intent *intent,
    struct payment_method *method,
    const struct decline *decline)
{
    struct charge *charge =
        object_new(sim, intent->object.owner, KIND_CHARGE, sizeof *charge, NULL);

    charge->object.created_s = customer_now_s(sim, intent->customer);
    charge->intent = intent;
    charge->method = method;
    charge->amount = intent->amount;
    charge->succeeded = decline == NULL;
    if (decline == NULL) {
        charge->transaction_id = sim_draw_id(sim, "txn_");
    } else {
        charge->decline = *decline;
    }
    intent->latest_charge = charge;
    event_emit(sim, charge->succeeded ? "charge.succeeded" : "charge.failed", charge, NULL);
    return charge;
}

static void render_outcome(struct render *render, const struct charge *charge)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "outcome");
    json_put_text(w, "advice_code", charge->decline.advice);
    render_nulls(render, "network_advice_code network_decline_code");
    json_put_text(
        w, "network_status", charge->succeeded ? "approved_by_network" : "declined_by_network");
    json_put_text(w, "reason", charge->decline.decline_code);
    json_put_text(w, "risk_level", "normal");
    json_put_text(
        w,
        "seller_message",
        charge->succeeded ? "Payment complete."
                          : "The bank did not return any further details with this decline.");
    json_put_text(w, "type", charge->succeeded ? "authorized" : "issuer_declined");
    json_close_object(w);
}

static void render_card(struct render *render, const struct charge *charge)
{
    const struct test_card *card = charge->method->card;
    struct json_writer *w = &render->writer;

    json_open_object(w, "payment_method_details");
    json_open_object(w, "card");
    json_put_i64(w, "amount_authorized", charge->succeeded ? charge->amount : 0);
    render_nulls(render, "authorization_code");
    json_put_text(w, "brand", card->brand);
    json_open_object(w, "checks");
    render_nulls(render, "address_line1_check address_postal_code_check");
    json_put_text(w, "cvc_check", "pass");
    json_close_object(w);
    json_put_text(w, "country", "US");
    json_put_i64(w, "exp_month", 12);
    json_put_i64(w, "exp_year", 2034);
    json_put_text(w, "fingerprint", card->name);
    json_put_text(w, "funding", "credit");
    render_nulls(render, "installments");
    json_put_text(w, "last4", card->last4);
    render_nulls(render, "mandate");
    json_put_text(w, "network", card->brand);
    render_nulls(
        render,
        "electronic_commerce_indicator network_transaction_id regulated_status three_d_secure "
        "transaction_link_id wallet");
    json_close_object(w);
    json_put_text(w, "type", "card");
    json_close_object(w);
}

void charge_render(struct render *render, const struct object *object)
{
    const struct charge *charge = (const struct charge *)object;
    const struct payment_intent *intent = charge->intent;
    struct json_writer *w = &render->writer;

    json_put_i64(w, "amount", charge->amount);
    json_put_i64(w, "amount_captured", charge->succeeded ? charge->amount : 0);
    json_put_i64(w, "amount_refunded", charge->refunded);
    json_put_text(w, "application", payment_intent_application(intent));
    render_nulls(render, "application_fee");
    render_i64_or_null(render, "application_fee_amount", intent->fee_amount);
    json_put_text(w, "balance_transaction", charge->transaction_id);
    json_open_object(w, "billing_details");
    render_no_address(render, "address");
    json_put_text(w, "email", charge->method->email);
    json_put_text(w, "name", charge->method->name);
    render_nulls(render, "phone tax_id");
    json_close_object(w);
    json_put_text(w, "calculated_statement_descriptor", "SIMULATED");
    json_put_bool(w, "captured", charge->succeeded);
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", intent->currency);
    render_ref(render, "customer", intent->customer);
    json_put_text(w, "description", intent->description);
    json_put_bool(w, "disputed", false);
    render_nulls(render, "failure_balance_transaction");
    json_put_text(w, "failure_code", charge->decline.code);
    json_put_text(w, "failure_message", charge->decline.message);
    json_open_object(w, "fraud_details");
    json_close_object(w);
    json_put_bool(w, "livemode", false);
    json_open_object(w, "metadata");
    json_close_object(w);
    render_nulls(render, "on_behalf_of");
    render_outcome(render, charge);
    json_put_bool(w, "paid", charge->succeeded);
    render_ref(render, "payment_intent", intent);
    json_put_text(w, "payment_method", charge->method->object.id);
    render_card(render, charge);
    render_nulls(render, "receipt_email receipt_number receipt_url");
    json_put_bool(w, "refunded", charge->succeeded && charge->refunded == charge->amount);
    render_nulls(
        render,
        "review shipping source source_transfer statement_descriptor statement_descriptor_suffix");
    json_put_text(w, "status", charge->succeeded ? "succeeded" : "failed");
    render_nulls(render, "transfer_data transfer_group");
}
