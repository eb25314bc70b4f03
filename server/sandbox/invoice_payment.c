#include "sandbox/invoice_payment.h"

#include "sandbox/customer.h"
#include "sandbox/invoice.h"
#include "sandbox/payment_intent.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

struct invoice_payment *
invoice_payment_new(struct sim *sim, struct invoice *invoice, struct payment_intent *intent)
{
    struct invoice_payment *payment =
        object_new(sim, invoice->object.owner, KIND_INVOICE_PAYMENT, sizeof *payment, NULL);

    payment->object.created_s = customer_now_s(sim, invoice->customer);
    payment->invoice = invoice;
    payment->intent = intent;
    payment->amount_requested = intent->amount;
    return payment;
}

const char *invoice_payment_status_word(const struct invoice_payment *payment)
{
    static const char *const words[] = {"open", "paid", "canceled"};

    return words[payment->status];
}

void invoice_payment_render(struct render *render, const struct object *object)
{
    const struct invoice_payment *payment = (const struct invoice_payment *)object;
    struct json_writer *w = &render->writer;

    render_i64_or_null(render, "amount_paid", payment->amount_paid);
    json_put_i64(w, "amount_requested", payment->amount_requested);
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", payment->invoice->currency);
    render_ref(render, "invoice", payment->invoice);
    json_put_bool(w, "is_default", true);
    json_put_bool(w, "livemode", false);
    json_open_object(w, "payment");
    render_enter(render, "payment");
    render_ref(render, "payment_intent", payment->intent);
    render_leave(render);
    json_put_text(w, "type", "payment_intent");
    json_close_object(w);
    json_put_text(w, "status", invoice_payment_status_word(payment));
    json_open_object(w, "status_transitions");
    render_i64_or_null(render, "canceled_at", payment->canceled_s);
    render_i64_or_null(render, "paid_at", payment->paid_s);
    json_close_object(w);
}
