#pragma once

/* Meters in the database, one row each. The tenant is cx->caller.org_id; memory is of the arena of
 * cx. Reads go into tx, or into a transaction of their own when tx is NULL. Thread-safe. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/catalog_state.h"

struct ctx;
struct db;
struct meter;
struct tx;

/* Fails with METER_EXISTS. */
struct status
meter_store_insert(struct ctx *cx, struct tx *tx, const struct meter *meter) MUST_CHECK;

/* Fail with METER_NOT_FOUND. Locking keeps others from changing it until the end of tx. */
struct status meter_store_load(
    struct ctx *cx, struct db *db, struct tx *tx, const char *key, struct meter *ret_meter)
    MUST_CHECK;
struct status meter_store_lock(
    struct ctx *cx, struct tx *tx, const char *key, struct meter *ret_meter) MUST_CHECK;

/* Everything but key, aggregation, value property and creation. */
struct status
meter_store_update(struct ctx *cx, struct tx *tx, const struct meter *meter) MUST_CHECK;

/* By key, those behind the meter `after` (zero: from the first). */
struct status meter_store_list(
    struct ctx *cx,
    struct db *db,
    enum catalog_state state,
    const struct id *after,
    int32_t max,
    struct meter **ret_meters,
    size_t *ret_count) MUST_CHECK;

/* Live ones. */
struct status meter_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_count) MUST_CHECK;

/* Who needs the meter: a feature that is live or that a customer still has, or a price of a plan
 * that is live or that a subscription still has. "" and the zero id when there is none. */
struct meter_users {
    const char *feature_key;
    struct id price_id;
};
struct status meter_store_users(
    struct ctx *cx, struct tx *tx, const struct id *meter_id, struct meter_users *ret_users)
    MUST_CHECK;

/* The meter has been made at the payment side. */
struct status meter_store_mirrored(
    struct ctx *cx, struct db *db, const struct id *meter_id, const char *stripe_meter_id)
    MUST_CHECK;
