#pragma once

/* Plans in the database, one row each; what they give and cost is in store/plan_version_store.h and
 * store/price_store.h. The tenant is cx->caller.org_id; memory is of the arena of cx. Reads go into
 * tx, or into a transaction of their own when tx is NULL. Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/catalog_state.h"

struct ctx;
struct db;
struct plan;
struct tx;

/* By our id, or by the merchant's key when plan_id is NULL. */
struct plan_ref {
    const struct id *plan_id;
    const char *key;
};

/* Fails with PLAN_EXISTS. */
struct status plan_store_insert(struct ctx *cx, struct tx *tx, const struct plan *plan) MUST_CHECK;

/* Fail with PLAN_NOT_FOUND. Whoever changes a plan, its versions or their prices locks it first, so
 * that the changes of one plan follow each other. */
struct status plan_store_load(
    struct ctx *cx, struct db *db, struct tx *tx, const struct plan_ref *ref, struct plan *ret_plan)
    MUST_CHECK;
struct status plan_store_lock(
    struct ctx *cx, struct tx *tx, const struct plan_ref *ref, struct plan *ret_plan) MUST_CHECK;

/* PLAN_NOT_FOUND with the pair that names it. */
struct status plan_store_missing(struct ctx *cx, const struct plan_ref *ref) MUST_CHECK;

/* Everything but key, kind and creation. */
struct status plan_store_update(struct ctx *cx, struct tx *tx, const struct plan *plan) MUST_CHECK;

struct plan_filter {
    bool has_kind;
    bool addon;
    enum catalog_state state;
    bool published_only;
};

/* By key, those behind the plan `after` (zero: from the first). */
struct status plan_store_list(
    struct ctx *cx,
    struct db *db,
    const struct plan_filter *filter,
    const struct id *after,
    int32_t max,
    struct plan **ret_plans,
    size_t *ret_count) MUST_CHECK;

/* Live ones. */
struct status plan_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_count) MUST_CHECK;

/* The currency of the organisation. */
struct status
plan_store_default_currency(struct ctx *cx, struct tx *tx, const char **ret_currency) MUST_CHECK;
