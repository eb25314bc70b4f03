#include "services/refunds.h"

#include "base/ctx.h"
#include "services/services.h"
#include "store/db.h"
#include "store/refund_store.h"

struct status refunds_get(
    struct ctx *cx,
    struct services *services,
    const struct id *refund_id,
    struct refund *ret_refund)
{
    return refund_store_load(cx, services->db, NULL, refund_id, ret_refund);
}

struct status refunds_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct invoice_part_filter *filter,
    size_t max,
    struct refund **ret_refunds,
    size_t *ret_count)
{
    TRY(invoices_find_parts(cx, services, customer, filter));
    return refund_store_list(cx, services->db, filter, max, ret_refunds, ret_count);
}

struct status refund_apply(
    struct ctx *cx, struct tx *tx, const struct payment_refund *payment, int64_t fetch_number)
{
    struct refund refund = {
        .refund_id = id_new(cx->now_us),
        .stripe_refund_id = payment->id,
        .payment_intent = payment->payment_intent_id,
        .charge = payment->charge_id,
        .amount_minor = payment->amount_minor,
        .currency = payment->currency,
        .state = refund_state_of_payment(payment->status_text),
        .reason = refund_reason_of_payment(payment->reason),
        .failure_code = payment->failure_code,
        .fetch_number = fetch_number,
        .created_us = payment->created_us,
    };
    struct id marked;

    if (id_parse(ID_REFUND, payment->marks.object_id, &marked)) {
        refund.refund_id = marked;
    }
    return refund_store_write(cx, tx, &refund, payment->raw);
}
