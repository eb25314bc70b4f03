#pragma once

/* Payment methods as the payment side has them, and how they stand in answers and events. */

#include <stdint.h>

#include "base/status.h"
#include "domain/event.h"
#include "domain/payment.h"
#include "domain/payment_method.h"

struct ctx;
struct tx;

/* Applies what was read unless something newer is there: whose it is, or that it is nobody's any
 * more. Of a customer that is none of ours nothing is kept. *ret_method (may be NULL): as it is
 * then; its payment_method_id is "" when nothing is kept. */
struct status payment_method_apply(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_instrument *instrument,
    int64_t fetch_number,
    struct payment_method *ret_method) MUST_CHECK;

/* {"payment_method_id": "pm_...", "brand": "visa", ...} and back. */
const char *payment_method_snapshot_write(struct ctx *cx, const struct payment_method *method);
struct status payment_method_snapshot_read(
    struct ctx *cx, const char *snapshot, struct payment_method *ret_method) MUST_CHECK;

struct status payment_method_tell(
    struct ctx *cx, struct tx *tx, enum event_type type, const struct payment_method *method)
    MUST_CHECK;
