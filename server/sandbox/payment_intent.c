#include "sandbox/payment_intent.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/charge.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/invoice.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

struct payment_intent *payment_intent_new(struct sim *sim, struct invoice *invoice)
{
    struct payment_intent *intent =
        object_new(sim, invoice->object.owner, KIND_PAYMENT_INTENT, sizeof *intent, NULL);

    intent->object.created_s = customer_now_s(sim, invoice->customer);
    intent->customer = invoice->customer;
    intent->invoice = invoice;
    intent->amount = invoice->amount_due;
    intent->currency = invoice->currency;
    intent->description = invoice->subscription == NULL ? NULL : "Subscription payment";
    intent->fee_amount = invoice_fee(invoice);
    intent->client_secret = sim_text(
        sim, arena_printf(sim->cx->arena, "%s_secret_%s", intent->object.id, sim_draw_id(sim, "")));
    return intent;
}

struct decline
payment_intent_foresee(const struct customer *customer, const struct payment_method *method)
{
    if (customer->forced_decline != NULL) {
        return payment_method_decline(customer->forced_decline);
    }
    if (method->card->decline != NULL && !method->card->authenticate) {
        return payment_method_decline(method->card->decline);
    }
    return (struct decline){.decline_code = NULL};
}

bool payment_intent_needs_customer(
    const struct customer *customer, const struct payment_method *method)
{
    return customer->forced_decline == NULL && method->card->authenticate;
}

static bool succeed(struct sim *sim, struct payment_intent *intent, struct payment_method *method)
{
    intent->status = INTENT_SUCCEEDED;
    intent->method = method;
    intent->last_error = (struct decline){.decline_code = NULL};
    charge_new(sim, intent, method, NULL);
    event_emit(sim, "payment_intent.succeeded", intent, NULL);
    return true;
}

static bool decline(
    struct sim *sim,
    struct payment_intent *intent,
    struct payment_method *method,
    const struct decline *reason)
{
    intent->status = INTENT_REQUIRES_PAYMENT_METHOD;
    intent->method = NULL;
    intent->failed_method = method;
    intent->last_error = *reason;
    charge_new(sim, intent, method, reason);
    event_emit(sim, "payment_intent.payment_failed", intent, NULL);
    return false;
}

bool payment_intent_attempt(
    struct sim *sim, struct payment_intent *intent, struct payment_method *method, bool off_session)
{
    struct decline reason = payment_intent_foresee(intent->customer, method);

    if (payment_intent_needs_customer(intent->customer, method)) {
        if (!off_session) {
            intent->status = INTENT_REQUIRES_ACTION;
            intent->method = method;
            event_emit(sim, "payment_intent.requires_action", intent, NULL);
            return false;
        }
        reason = payment_method_decline("authentication_required");
    }
    return reason.decline_code == NULL ? succeed(sim, intent, method)
                                       : decline(sim, intent, method, &reason);
}

bool payment_intent_authenticate(struct sim *sim, struct payment_intent *intent, bool success)
{
    const struct decline reason = {
        .decline_code = "authentication_required",
        .code = "payment_intent_authentication_failure",
        .message = "The provided PaymentMethod has failed authentication.",
    };

    return success ? succeed(sim, intent, intent->method)
                   : decline(sim, intent, intent->method, &reason);
}

void payment_intent_cancel(struct sim *sim, struct payment_intent *intent, const char *reason)
{
    if (intent == NULL || intent->status == INTENT_SUCCEEDED || intent->status == INTENT_CANCELED) {
        return;
    }
    intent->status = INTENT_CANCELED;
    intent->cancellation_reason = reason;
    intent->canceled_s = customer_now_s(sim, intent->customer);
    event_emit(sim, "payment_intent.canceled", intent, NULL);
}

const char *payment_intent_application(const struct payment_intent *intent)
{
    return intent->object.owner->object.owner == NULL ? NULL : "ca_simulated";
}

static void render_error(struct render *render, const struct payment_intent *intent)
{
    const struct decline *error = &intent->last_error;
    struct json_writer *w = &render->writer;

    if (error->decline_code == NULL) {
        json_put_null(w, "last_payment_error");
        return;
    }
    json_open_object(w, "last_payment_error");
    render_text_if(render, "advice_code", error->advice);
    render_text_if(
        render, "charge", intent->latest_charge == NULL ? NULL : intent->latest_charge->object.id);
    json_put_text(w, "code", error->code);
    json_put_text(w, "decline_code", error->decline_code);
    json_put_text(w, "message", error->message);
    if (intent->failed_method != NULL) {
        render_object(render, "payment_method", intent->failed_method);
    }
    json_put_text(w, "type", "card_error");
    json_close_object(w);
}

static void render_next_action(struct render *render, const struct payment_intent *intent)
{
    struct json_writer *w = &render->writer;

    if (intent->status != INTENT_REQUIRES_ACTION) {
        json_put_null(w, "next_action");
        return;
    }
    json_open_object(w, "next_action");
    json_put_text(w, "type", "use_stripe_sdk");
    json_open_object(w, "use_stripe_sdk");
    json_close_object(w);
    json_close_object(w);
}

void payment_intent_render(struct render *render, const struct object *object)
{
    static const char *const statuses[] = {
        [INTENT_REQUIRES_PAYMENT_METHOD] = "requires_payment_method",
        [INTENT_REQUIRES_CONFIRMATION] = "requires_confirmation",
        [INTENT_REQUIRES_ACTION] = "requires_action",
        [INTENT_SUCCEEDED] = "succeeded",
        [INTENT_CANCELED] = "canceled"};
    const struct payment_intent *intent = (const struct payment_intent *)object;
    struct json_writer *w = &render->writer;

    render_texts(render, "allowed_payment_method_types", "card");
    json_put_i64(w, "amount", intent->amount);
    render_zeros(render, "amount_capturable");
    json_put_i64(w, "amount_received", intent->status == INTENT_SUCCEEDED ? intent->amount : 0);
    json_put_text(w, "application", payment_intent_application(intent));
    render_i64_or_null(render, "application_fee_amount", intent->fee_amount);
    render_nulls(render, "automatic_payment_methods");
    render_i64_or_null(render, "canceled_at", intent->canceled_s);
    json_put_text(w, "cancellation_reason", intent->cancellation_reason);
    json_put_text(w, "capture_method", "automatic");
    json_put_text(w, "client_secret", intent->client_secret);
    json_put_text(w, "confirmation_method", "automatic");
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", intent->currency);
    render_ref(render, "customer", intent->customer);
    render_nulls(render, "customer_account");
    json_put_text(w, "description", intent->description);
    render_nulls(render, "excluded_payment_method_types");
    render_error(render, intent);
    render_ref(render, "latest_charge", intent->latest_charge);
    json_put_bool(w, "livemode", false);
    render_nulls(render, "managed_payments");
    json_open_object(w, "metadata");
    json_close_object(w);
    render_next_action(render, intent);
    render_nulls(render, "on_behalf_of");
    render_ref(render, "payment_method", intent->method);
    render_nulls(render, "payment_method_configuration_details payment_method_options");
    render_texts(render, "payment_method_types", "card");
    render_nulls(render, "payment_record processing receipt_email review");
    json_put_text(w, "setup_future_usage", "off_session");
    render_nulls(render, "shipping source statement_descriptor statement_descriptor_suffix");
    json_put_text(w, "status", statuses[intent->status]);
    render_nulls(render, "transfer_data transfer_group");
}
