#pragma once

/* Coupons in the database, one row each. A row that the payment side does not have yet is seen by
 * nobody but its own intent. The tenant is cx->caller.org_id; memory is of the arena of cx. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/catalog_state.h"
#include "domain/coupon.h"

struct ctx;
struct db;
struct tx;

/* By our id, or by the merchant's key when coupon_id is NULL. */
struct coupon_key {
    const struct id *coupon_id;
    const char *key;
};

struct coupon_position {
    int64_t created_us;
    struct id coupon_id;
};

/* Not seen yet. Fails with COUPON_EXISTS. */
struct status
coupon_store_insert(struct ctx *cx, struct tx *tx, const struct coupon *coupon) MUST_CHECK;

/* The payment side has it, or will never have it. */
struct status
coupon_store_show(struct ctx *cx, struct tx *tx, const struct id *coupon_id) MUST_CHECK;
struct status
coupon_store_drop(struct ctx *cx, struct tx *tx, const struct id *coupon_id) MUST_CHECK;

/* Fail with COUPON_NOT_FOUND. Archived ones are found. load: tx may be NULL. */
struct status coupon_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct coupon_key *key,
    struct coupon *ret_coupon) MUST_CHECK;
struct status coupon_store_lock(
    struct ctx *cx, struct tx *tx, const struct id *coupon_id, struct coupon *ret_coupon)
    MUST_CHECK;

/* Newest first, those before the position (coupon_id zero: from the newest). */
struct status coupon_store_list(
    struct ctx *cx,
    struct db *db,
    enum catalog_state state,
    const struct coupon_position *before,
    int32_t max,
    struct coupon **ret_coupons,
    size_t *ret_count) MUST_CHECK;

/* Name, metadata, archiving, version. */
struct status
coupon_store_update(struct ctx *cx, struct tx *tx, const struct coupon *coupon) MUST_CHECK;

/* What was read from the payment side: how often it was redeemed, whether it is deleted there. A
 * coupon that is none of ours, or that something newer is known of, is left alone. */
struct status coupon_store_mirror(
    struct ctx *cx,
    struct tx *tx,
    const char *stripe_coupon_id,
    int64_t redemptions,
    bool deleted,
    int64_t fetch_number) MUST_CHECK;

/* The first of the keys that is no plan; "" when all are. */
struct status coupon_store_unknown_plan(
    struct ctx *cx, struct tx *tx, const char *const *plan_keys, size_t count, const char **ret_key)
    MUST_CHECK;
