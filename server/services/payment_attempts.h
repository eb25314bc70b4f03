#pragma once

/* Tries to collect money: mirrored charge by charge, listed from the mirror. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"
#include "domain/payment_attempt.h"
#include "services/invoices.h"

struct ctx;
struct services;
struct tx;

/* A charge of a customer that is none of ours is passed over. */
struct status payment_attempt_apply(
    struct ctx *cx, struct tx *tx, const struct payment_charge *charge, int64_t fetch_number)
    MUST_CHECK;

/* What an invoice says about its payment: that it waits for the customer, or a charge that has not
 * been mirrored, which is then marked to be read. The invoice is locked. */
struct status payment_attempt_note(
    struct ctx *cx,
    struct tx *tx,
    const struct invoice *invoice,
    const struct payment_invoice *payment) MUST_CHECK;

/* Newest first, at most max. Fails with CUSTOMER_NOT_FOUND, INVOICE_NOT_FOUND. */
struct status payment_attempts_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct invoice_part_filter *filter,
    size_t max,
    struct payment_attempt **ret_attempts,
    size_t *ret_count) MUST_CHECK;
