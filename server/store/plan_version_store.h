#pragma once

/* The versions of plans. The tenant is cx->caller.org_id; memory is of the
 * arena of cx. Reads go into tx, or into a transaction of their own when tx is NULL. Whoever writes
 * holds the lock of the plan (plan_store_lock()). Thread-safe. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"

struct ctx;
struct db;
struct plan_version;
struct tx;

/* The row alone, without features and prices. */
struct status plan_version_store_insert(
    struct ctx *cx, struct tx *tx, const struct plan_version *version) MUST_CHECK;

struct plan_version_ref {
    struct id plan_id;
    int32_t number;
};

/* Several at once, with features and prices, in the order of the refs; one that does not exist
 * leaves its slot with number 0. */
struct status plan_version_store_load_many(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct plan_version_ref *refs,
    size_t count,
    struct plan_version **ret_versions) MUST_CHECK;

/* One of them; fails with PLAN_VERSION_NOT_FOUND. */
struct status plan_version_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct plan_version_ref *ref,
    struct plan_version *ret_version) MUST_CHECK;

/* PLAN_VERSION_NOT_FOUND with its pairs. */
struct status
plan_version_store_missing(struct ctx *cx, const struct plan_version_ref *ref) MUST_CHECK;

/* The numbers of a plan's versions, newest first, those below `before` (0: all). */
struct status plan_version_store_numbers(
    struct ctx *cx,
    struct db *db,
    const struct id *plan_id,
    int32_t before,
    int32_t max,
    int32_t **ret_numbers,
    size_t *ret_count) MUST_CHECK;

/* Trial, note, state, time of publication and version. */
struct status plan_version_store_update(
    struct ctx *cx, struct tx *tx, const struct plan_version *version) MUST_CHECK;

/* With its features and prices. */
struct status plan_version_store_delete(
    struct ctx *cx, struct tx *tx, const struct plan_version_ref *ref) MUST_CHECK;
