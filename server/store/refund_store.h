#pragma once

/* Refunds, one row each. A row without an id of the payment side was claimed and is to be made
 * there: it counts against what is left of the invoice, and is not shown. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/refund.h"
#include "store/invoice_store.h"

struct ctx;
struct db;
struct tx;

/* What refunds, claimed ones too, have taken of the invoice; it is locked. */
struct status refund_store_taken(
    struct ctx *cx, struct tx *tx, const struct id *invoice_id, int64_t *ret_minor) MUST_CHECK;

struct status
refund_store_claim(struct ctx *cx, struct tx *tx, const struct refund *refund) MUST_CHECK;

/* The claim comes to nothing. */
struct status
refund_store_give_up(struct ctx *cx, struct tx *tx, const struct id *refund_id) MUST_CHECK;

/* As the payment side has it: the claim refund->refund_id when there is one, else by its id there;
 * refund->refund_id is taken for one that has not been seen before. Invoice and customer are found
 * by its payment. */
struct status refund_store_write(
    struct ctx *cx, struct tx *tx, const struct refund *refund, const char *raw) MUST_CHECK;

/* The refunds of the payment belong to the invoice. */
struct status refund_store_link(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invoice_id,
    const struct id *customer_id,
    const char *payment_intent) MUST_CHECK;

/* Fails with REFUND_NOT_FOUND. tx NULL: outside of a transaction. */
struct status refund_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct id *refund_id,
    struct refund *ret_refund) MUST_CHECK;

/* Newest first, at most max, in the arena of cx. */
struct status refund_store_list(
    struct ctx *cx,
    struct db *db,
    const struct invoice_part_filter *filter,
    size_t max,
    struct refund **ret_refunds,
    size_t *ret_count) MUST_CHECK;
