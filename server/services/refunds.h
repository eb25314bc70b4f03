#pragma once

/* Money of paid invoices paid back: made at the payment side, mirrored, listed. All refunds of an
 * invoice together, claimed ones too, are never more than what was paid. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/money.h"
#include "base/status.h"
#include "domain/payment.h"
#include "domain/refund.h"
#include "services/intents.h"
#include "services/invoices.h"

struct ctx;
struct keyed;
struct services;
struct tx;

#define REFUND_CREATE_METHOD "billingos.v1.InvoiceService/CreateRefund"

struct refund_order {
    struct id invoice_id;
    bool all; /* that is left; else amount */
    struct money amount;
    int64_t reason; /* its number; 0 = not said */
    bool application_fee;
};

/* Fails with INVOICE_NOT_FOUND, INVOICE_STATE_INVALID, REFUND_TOO_LARGE, CURRENCY_MISMATCH. */
struct status refunds_create(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct refund_order *order,
    struct refund *ret_refund) MUST_CHECK;

/* intent_drive. */
struct status refunds_create_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;

/* Fails with REFUND_NOT_FOUND. */
struct status refunds_get(
    struct ctx *cx,
    struct services *services,
    const struct id *refund_id,
    struct refund *ret_refund) MUST_CHECK;

/* Newest first, at most max. Fails with CUSTOMER_NOT_FOUND, INVOICE_NOT_FOUND. */
struct status refunds_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct invoice_part_filter *filter,
    size_t max,
    struct refund **ret_refunds,
    size_t *ret_count) MUST_CHECK;

/* From the payment side's refund to ours. */
struct status refund_apply(
    struct ctx *cx, struct tx *tx, const struct payment_refund *payment, int64_t fetch_number)
    MUST_CHECK;
