#pragma once

/* Plans: what can be subscribed to. Their versions are in services/plan_versions.h, publishing in
 * services/catalog_publish.h. Who has a publishable key sees what is published and nothing else. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/plan.h"
#include "store/plan_store.h"

struct ctx;
struct services;
struct tx;

struct plan_input {
    struct plan plan;
    int32_t trial_days;
    bool trial_needs_payment_method;
    const struct plan_feature *features;
    size_t feature_count;
    const struct price *prices;
    size_t price_count;
};

/* With version 1 as a draft. Fails with FIELD_INVALID, PLAN_EXISTS, OBJECT_LIMIT_REACHED and what
 * SetPlanFeature and CreatePrice fail with. */
struct status plans_create(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_input *input,
    struct plan *ret_plan,
    struct plan_version *ret_version) MUST_CHECK;

/* number 0: the version on sale, else the draft; ret_version->number is 0 when there is neither.
 * Fails with PLAN_NOT_FOUND, PLAN_VERSION_NOT_FOUND. */
struct status plans_get(
    struct ctx *cx,
    struct services *services,
    const struct plan_ref *ref,
    int32_t number,
    struct plan *ret_plan,
    struct plan_version *ret_version) MUST_CHECK;

/* Plans, each with its version as above. */
struct plan_page {
    struct plan *plans;
    struct plan_version *versions;
    size_t count;
};

/* By key, those behind `after` (zero: from the first). */
struct status plans_list(
    struct ctx *cx,
    struct services *services,
    const struct plan_filter *filter,
    const struct id *after,
    int32_t max,
    struct plan_page *ret_page) MUST_CHECK;

enum plan_field {
    PLAN_NAME = 1 << 0,
    PLAN_DESCRIPTION = 1 << 1,
    PLAN_DISPLAY_ORDER = 1 << 2,
    PLAN_COMPATIBLE_KEYS = 1 << 3,
    PLAN_APPLICATION_FEE = 1 << 4,
    PLAN_METADATA = 1 << 5,
};

struct plan_change {
    struct plan_ref ref;
    uint32_t fields; /* which of the values count */
    struct plan values;
    bool has_kind;    /* values.addon must be what it is */
    const char *etag; /* "" = not checked */
};

/* Fails with PLAN_NOT_FOUND, PLAN_ARCHIVED, ETAG_MISMATCH, FIELD_INVALID. */
struct status
plans_update(struct ctx *cx, struct tx *tx, const struct plan_change *change, struct plan *ret_plan)
    MUST_CHECK;

/* Twice is once. Fails with PLAN_NOT_FOUND. */
struct status plans_archive(
    struct ctx *cx, struct tx *tx, const struct id *plan_id, struct plan *ret_plan) MUST_CHECK;
