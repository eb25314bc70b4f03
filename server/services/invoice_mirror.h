#pragma once

/* From the payment side's invoice to ours, guarded by the fetch number like everything mirrored. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"

struct ctx;
struct tx;

/* Writes the invoice, the try to collect it, what that means for its subscription, and the events.
 * An invoice of a customer that is none of ours is passed over. */
struct status invoice_apply(
    struct ctx *cx, struct tx *tx, const struct payment_invoice *payment, int64_t fetch_number)
    MUST_CHECK;
