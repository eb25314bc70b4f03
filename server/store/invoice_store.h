#pragma once

/* Invoices of the payment side, one row each, and the tries to collect them. A row is overwritten
 * by a read with a higher fetch number only; who writes has locked it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/invoice.h"

struct ctx;
struct tx;

/* Locks it; *ret_found false when we have not seen it before. */
struct status invoice_store_lock_stripe(
    struct ctx *cx,
    struct tx *tx,
    const char *stripe_invoice_id,
    bool *ret_found,
    struct invoice *ret_invoice) MUST_CHECK;

/* Inserts or overwrites it, by its id at the payment side. */
struct status invoice_store_write(
    struct ctx *cx, struct tx *tx, const struct invoice *invoice, const char *raw) MUST_CHECK;

/* One try to collect it: number attempt_no, with the outcome that is known now. The payment side
 * forgets the error of a try with the next one, so the first word about it stays. */
struct status invoice_store_add_attempt(
    struct ctx *cx, struct tx *tx, const struct invoice *invoice, bool succeeded) MUST_CHECK;

/* The payment side has deleted it: a draft that came to nothing. */
struct status invoice_store_void(
    struct ctx *cx, struct tx *tx, const char *stripe_invoice_id, int64_t fetch_number) MUST_CHECK;
