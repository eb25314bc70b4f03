#pragma once

/* The features that plan versions give, one row each. The tenant is cx->caller.org_id; memory is of
 * the arena of cx. Whoever writes holds the lock of the plan (plan_store_lock()). Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "store/plan_version_store.h"

struct ctx;
struct db;
struct params;
struct plan_feature;
struct plan_version;
struct tx;

/* For store/plan_version_store.c: the features of the versions whose plan ids and numbers are the
 * second and third parameter, in that order. */
struct status plan_feature_store_fill(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct params *versions_params,
    struct plan_version *versions,
    size_t count) MUST_CHECK;

/* Gives the feature, or replaces the terms. Fails with FIELD_INVALID when the database cannot keep
 * the JSON of the configuration. */
struct status plan_feature_store_set(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version_ref *ref,
    const struct plan_feature *feature) MUST_CHECK;

/* *ret_removed: it was there. */
struct status plan_feature_store_remove(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version_ref *ref,
    const char *feature_key,
    bool *ret_removed) MUST_CHECK;

/* From one version of a plan to another. */
struct status plan_feature_store_copy(
    struct ctx *cx, struct tx *tx, const struct plan_version_ref *from, int32_t to) MUST_CHECK;

/* The meter of each feature (zero: none), in the order in which the version is loaded, with the
 * features kept from being archived until the end of tx. Fails with FEATURE_ARCHIVED. */
struct status plan_feature_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version_ref *ref,
    struct id **ret_meters,
    size_t *ret_count) MUST_CHECK;
