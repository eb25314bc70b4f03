#pragma once

/* Features in the database, one row each. The tenant is cx->caller.org_id; memory is of the arena
 * of cx. Reads go into tx, or into a transaction of their own when tx is NULL. Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/catalog_state.h"
#include "domain/entitlement.h"

struct ctx;
struct db;
struct feature;
struct tx;

/* Fails with FEATURE_EXISTS. */
struct status
feature_store_insert(struct ctx *cx, struct tx *tx, const struct feature *feature) MUST_CHECK;

/* Fail with FEATURE_NOT_FOUND. Locking keeps others from changing it until the end of tx. */
struct status feature_store_load(
    struct ctx *cx, struct db *db, struct tx *tx, const char *key, struct feature *ret_feature)
    MUST_CHECK;
struct status feature_store_lock(
    struct ctx *cx, struct tx *tx, const char *key, struct feature *ret_feature) MUST_CHECK;

/* Everything but key, kind, meter and creation. */
struct status
feature_store_update(struct ctx *cx, struct tx *tx, const struct feature *feature) MUST_CHECK;

struct feature_filter {
    bool has_kind;
    enum feature_kind kind;
    enum catalog_state state;
};

/* By key, those behind the feature `after` (zero: from the first). */
struct status feature_store_list(
    struct ctx *cx,
    struct db *db,
    const struct feature_filter *filter,
    const struct id *after,
    int32_t max,
    struct feature **ret_features,
    size_t *ret_count) MUST_CHECK;

/* Live ones. */
struct status feature_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_count) MUST_CHECK;

/* A plan that is on sale and gives the feature; the zero id when there is none. */
struct status feature_store_plan_on_sale(
    struct ctx *cx, struct tx *tx, const struct id *feature_id, struct id *ret_plan_id) MUST_CHECK;
