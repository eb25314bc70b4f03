#pragma once

/* The versions of plans: made as drafts, changed, thrown away. Publishing is in
 * services/catalog_publish.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/plan.h"

struct ctx;
struct services;
struct tx;

/* A copy of version `from` (0: the one on sale, else the latest) as the next draft; an empty one
 * when the plan has no version to copy. Fails with PLAN_NOT_FOUND, PLAN_ARCHIVED,
 * PLAN_VERSION_NOT_FOUND, PLAN_DRAFT_EXISTS, FIELD_INVALID. */
struct status plan_versions_create(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t from,
    const char *note,
    struct plan_version *ret_version) MUST_CHECK;

/* Newest first, those below `before` (0: all). Fails with PLAN_NOT_FOUND. */
struct status plan_versions_list(
    struct ctx *cx,
    struct services *services,
    const struct id *plan_id,
    int32_t before,
    int32_t max,
    struct plan_version **ret_versions,
    size_t *ret_count) MUST_CHECK;

enum plan_version_field {
    PLAN_VERSION_TRIAL_DAYS = 1 << 0,
    PLAN_VERSION_TRIAL_PAYMENT = 1 << 1,
    PLAN_VERSION_NOTE = 1 << 2,
};

struct plan_version_change {
    uint32_t fields;            /* which of the values count */
    struct plan_version values; /* plan_id and number name it */
    const char *etag;           /* "" = not checked */
};

/* Changing a draft, here and below, fails with PLAN_NOT_FOUND, PLAN_ARCHIVED,
 * PLAN_VERSION_NOT_FOUND and PLAN_VERSION_FROZEN; this one with FIELD_INVALID and ETAG_MISMATCH
 * too. */
struct status plan_versions_update(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version_change *change,
    struct plan_version *ret_version) MUST_CHECK;

struct status plan_versions_delete(
    struct ctx *cx, struct tx *tx, const struct id *plan_id, int32_t number) MUST_CHECK;

/* number 0: the draft there is. And FEATURE_NOT_FOUND, FEATURE_ARCHIVED, FEATURE_KIND_MISMATCH,
 * FIELD_INVALID, OBJECT_LIMIT_REACHED. */
struct status plan_versions_set_feature(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t number,
    const struct plan_feature *feature,
    struct plan_version *ret_version) MUST_CHECK;

/* Removing one that is not there succeeds. */
struct status plan_versions_remove_feature(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    int32_t number,
    const char *feature_key,
    struct plan_version *ret_version) MUST_CHECK;
