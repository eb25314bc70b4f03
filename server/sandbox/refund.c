#include "sandbox/refund.h"

#include "sandbox/charge.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/payment_intent.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

struct refund *
refund_new(struct sim *sim, struct charge *charge, int64_t amount, const char *reason)
{
    struct refund *refund =
        object_new(sim, charge->object.owner, KIND_REFUND, sizeof *refund, NULL);

    refund->object.created_s = customer_now_s(sim, charge->intent->customer);
    refund->charge = charge;
    refund->amount = amount;
    refund->reason = reason == NULL ? NULL : sim_text(sim, reason);
    refund->transaction_id = sim_draw_id(sim, "txn_");
    return refund;
}

void refund_tell(struct sim *sim, struct refund *refund)
{
    const char *before = event_snapshot(sim, refund->charge);

    refund->charge->refunded += refund->amount;
    event_emit(sim, "refund.created", refund, NULL);
    event_emit(sim, "charge.refunded", refund->charge, before);
}

void refund_render(struct render *render, const struct object *object)
{
    const struct refund *refund = (const struct refund *)object;
    struct json_writer *w = &render->writer;

    json_put_i64(w, "amount", refund->amount);
    json_put_text(w, "balance_transaction", refund->transaction_id);
    render_ref(render, "charge", refund->charge);
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", refund->charge->intent->currency);
    json_open_object(w, "destination_details");
    json_open_object(w, "card");
    json_put_text(w, "type", "refund");
    json_close_object(w);
    json_put_text(w, "type", "card");
    json_close_object(w);
    metadata_render(render, "metadata", &refund->metadata);
    render_ref(render, "payment_intent", refund->charge->intent);
    json_put_text(w, "reason", refund->reason);
    render_nulls(render, "receipt_number source_transfer_reversal");
    json_put_text(w, "status", "succeeded");
    render_nulls(render, "transfer_reversal");
}
