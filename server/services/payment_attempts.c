#include "services/payment_attempts.h"

#include <string.h>

#include "base/ctx.h"
#include "services/services.h"
#include "services/webhook_event.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/payment_attempt_store.h"
#include "store/subscriber_store.h"

static enum payment_attempt_state state_of(const struct payment_charge *charge)
{
    if (strcmp(charge->status_text, "succeeded") == 0) {
        return PAYMENT_ATTEMPT_SUCCEEDED;
    }
    return strcmp(charge->status_text, "failed") == 0 ? PAYMENT_ATTEMPT_FAILED
                                                      : PAYMENT_ATTEMPT_PENDING;
}

struct status payment_attempt_apply(
    struct ctx *cx, struct tx *tx, const struct payment_charge *charge, int64_t fetch_number)
{
    const enum payment_attempt_state state = state_of(charge);
    const bool failed = state == PAYMENT_ATTEMPT_FAILED;
    struct payment_attempt attempt = {
        .payment_id = id_new(cx->now_us),
        .state = state,
        .amount_minor = charge->amount_minor,
        .currency = charge->currency,
        .decline_code = failed ? charge->decline_code : "",
        .advice_code = failed ? charge->advice_code : "",
        .payment_intent = charge->payment_intent_id,
        .charge = charge->id,
        .payment_method = charge->payment_method_id,
        .card_brand = charge->card_brand,
        .card_last4 = charge->card_last4,
        .fetch_number = fetch_number,
        .attempted_us = charge->created_us,
    };

    TRY(subscriber_store_find_stripe(cx, tx, charge->customer_id, &attempt.customer_id));
    if (id_is_zero(&attempt.customer_id)) {
        return STATUS_OK;
    }
    return payment_attempt_store_write_charge(cx, tx, &attempt);
}

struct status payment_attempt_note(
    struct ctx *cx,
    struct tx *tx,
    const struct invoice *invoice,
    const struct payment_invoice *payment)
{
    const struct dirty_object charge = {
        .org_id = cx->caller.org_id,
        .object_type = WEBHOOK_OBJECT_CHARGE,
        .object_id = payment->latest_charge_id,
        .first_seen_us = cx->now_us,
    };
    struct payment_attempt waiting = {
        .payment_id = id_new(cx->now_us),
        .invoice_id = invoice->invoice_id,
        .customer_id = invoice->customer_id,
        .amount_minor = invoice->remaining_minor,
        .currency = invoice->currency,
        .payment_intent = payment->payment_intent_id,
        .payment_method = payment->payment_method_id,
        .fetch_number = invoice->fetch_number,
        .attempted_us = cx->now_us,
    };
    bool known = false;

    if (payment->payment_intent_id[0] == '\0') {
        return STATUS_OK;
    }
    TRY(payment_attempt_store_link(
        cx,
        tx,
        &invoice->invoice_id,
        payment->payment_intent_id,
        payment->latest_charge_id,
        &known));
    if (payment_attempt_state_of_intent(payment->payment_intent_status, &waiting.state)) {
        TRY(payment_attempt_store_write_waiting(cx, tx, &waiting));
    }
    return known || payment->latest_charge_id[0] == '\0'
               ? STATUS_OK
               : dirty_object_store_mark(cx, tx, &charge, 1);
}

struct status payment_attempts_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct invoice_part_filter *filter,
    size_t max,
    struct payment_attempt **ret_attempts,
    size_t *ret_count)
{
    TRY(invoices_find_parts(cx, services, customer, filter));
    return payment_attempt_store_list(cx, services->db, filter, max, ret_attempts, ret_count);
}
