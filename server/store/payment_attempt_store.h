#pragma once

/* Tries to collect money, one row for each charge of the payment side, and one for a payment that
 * waits for the customer and has no charge yet; its charge takes that row over. A row is
 * overwritten by a read with a higher fetch number only. */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/payment_attempt.h"
#include "store/invoice_store.h"

struct ctx;
struct db;
struct tx;

/* Of a charge; attempt->payment_id is taken when the charge has not been seen before. */
struct status payment_attempt_store_write_charge(
    struct ctx *cx, struct tx *tx, const struct payment_attempt *attempt) MUST_CHECK;

/* Of a payment without a charge, of an invoice that is locked; CANCELED ends what is there. */
struct status payment_attempt_store_write_waiting(
    struct ctx *cx, struct tx *tx, const struct payment_attempt *attempt) MUST_CHECK;

/* The tries of the payment belong to the invoice; *ret_known: the charge is one of them. */
struct status payment_attempt_store_link(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invoice_id,
    const char *payment_intent,
    const char *charge,
    bool *ret_known) MUST_CHECK;

/* Newest first, at most max, in the arena of cx. */
struct status payment_attempt_store_list(
    struct ctx *cx,
    struct db *db,
    const struct invoice_part_filter *filter,
    size_t max,
    struct payment_attempt **ret_attempts,
    size_t *ret_count) MUST_CHECK;
