#pragma once

/* Tax numbers as last read from the payment side. The tenant is cx->caller.org_id; memory is of the
 * arena of cx. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/tax_id.h"

struct ctx;
struct db;
struct tx;

/* Of one customer, oldest first, at most TAX_IDS_MAX. Into tx, or on its own when tx is NULL. */
struct status tax_id_store_list(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct id *customer_id,
    struct tax_id **ret_tax_ids,
    size_t *ret_count) MUST_CHECK;

/* Fails with TAX_ID_NOT_FOUND, also when another customer has it. */
struct status tax_id_store_load(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const char *tax_id_id,
    struct tax_id *ret_tax_id) MUST_CHECK;

/* What was read, unless something newer is there. */
struct status tax_id_store_write(
    struct ctx *cx, struct tx *tx, const struct tax_id *tax_id, int64_t fetch_number) MUST_CHECK;
struct status tax_id_store_delete(
    struct ctx *cx, struct tx *tx, const char *tax_id_id, int64_t fetch_number) MUST_CHECK;

/* All of a customer that the payment side has deleted. */
struct status tax_id_store_delete_all(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, int64_t fetch_number) MUST_CHECK;
