#pragma once

/* Features: what plans can give. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/feature.h"
#include "store/feature_store.h"

struct ctx;
struct services;
struct tx;

/* input: what the merchant gives, the meter by its key. Fails with FIELD_INVALID,
 * FEATURE_KIND_MISMATCH, METER_NOT_FOUND, METER_ARCHIVED, FEATURE_EXISTS, OBJECT_LIMIT_REACHED. */
struct status features_create(
    struct ctx *cx, struct tx *tx, const struct feature *input, struct feature *ret_feature)
    MUST_CHECK;

/* Fails with FEATURE_NOT_FOUND. */
struct status features_get(
    struct ctx *cx, struct services *services, const char *key, struct feature *ret_feature)
    MUST_CHECK;

/* By key, those behind `after` (zero: from the first). */
struct status features_list(
    struct ctx *cx,
    struct services *services,
    const struct feature_filter *filter,
    const struct id *after,
    int32_t max,
    struct feature **ret_features,
    size_t *ret_count) MUST_CHECK;

enum feature_field {
    FEATURE_NAME = 1 << 0,
    FEATURE_DESCRIPTION = 1 << 1,
    FEATURE_UNIT = 1 << 2,
    FEATURE_PERMITTED_VALUES = 1 << 3,
    FEATURE_UNREACHABLE_POLICY = 1 << 4,
    FEATURE_METADATA = 1 << 5,
};

struct feature_change {
    uint32_t fields;       /* which of the values count */
    struct feature values; /* its key names the feature */
    bool has_kind;         /* values.kind must be what it is */
    const char *etag;      /* "" = not checked */
};

/* Fails with FEATURE_NOT_FOUND, FEATURE_ARCHIVED, ETAG_MISMATCH, FIELD_INVALID. */
struct status features_update(
    struct ctx *cx, struct tx *tx, const struct feature_change *change, struct feature *ret_feature)
    MUST_CHECK;

/* Twice is once. Fails with FEATURE_NOT_FOUND, FEATURE_IN_USE. */
struct status features_archive(
    struct ctx *cx, struct tx *tx, const char *key, struct feature *ret_feature) MUST_CHECK;
