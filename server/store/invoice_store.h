#pragma once

/* Invoices of the payment side, one row each. A row is overwritten
 * by a read with a higher fetch number only; who writes has locked it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/invoice.h"

struct ctx;
struct db;
struct tx;

/* Fails with INVOICE_NOT_FOUND. */
struct status invoice_store_load(
    struct ctx *cx, struct db *db, const struct id *invoice_id, struct invoice *ret_invoice)
    MUST_CHECK;

/* The same, locked until the end of the transaction. */
struct status invoice_store_lock(
    struct ctx *cx, struct tx *tx, const struct id *invoice_id, struct invoice *ret_invoice)
    MUST_CHECK;

/* What narrows a list, newest first; zero: not at all. The page begins after (before_us,
 * before_id). */
struct invoice_filter {
    struct id customer_id;
    struct id subscription_id;
    const char *const *statuses; /* names; count 0: all */
    size_t status_count;
    int64_t from_us;  /* of their creation */
    int64_t until_us; /* excluded */
    int64_t before_us;
    struct id before_id;
};

/* At most max, in the arena of cx. */
struct status invoice_store_list(
    struct ctx *cx,
    struct db *db,
    const struct invoice_filter *filter,
    size_t max,
    struct invoice **ret_invoices,
    size_t *ret_count) MUST_CHECK;

/* The same for what belongs to invoices: tries, refunds, credit notes, disputes. */
struct invoice_part_filter {
    struct id customer_id;
    struct id invoice_id;
    const char *state; /* "" = any */
    int64_t before_us;
    struct id before_id;
};

/* Adds it as six parameters, in this order: customer, invoice, state, before_us, before_id, max. */
struct params;
void invoice_part_filter_params(
    struct params *p, const struct invoice_part_filter *filter, size_t max);

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

/* The payment side has deleted it: a draft that came to nothing. */
struct status invoice_store_void(
    struct ctx *cx, struct tx *tx, const char *stripe_invoice_id, int64_t fetch_number) MUST_CHECK;
