#pragma once

/* Something a plan can give: there or not, a value, a counted limit, a pool of credits. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/entitlement.h"

struct ctx;

#define FEATURES_MAX 1000 /* live ones of one organisation */
#define FEATURE_VALUES_MAX 100
#define FEATURE_VALUE_LETTERS_MAX 200

struct feature {
    struct id feature_id;
    const char *key;
    const char *name;
    const char *description;
    enum feature_kind kind;
    struct id meter_id;    /* METERED; else zero */
    const char *meter_key; /* METERED; else "" */
    const char *unit;
    const char *const *permitted_values; /* CONFIG: texts that plans may give; none: any */
    size_t permitted_count;
    bool unreachable_allow;      /* what an SDK answers when no server can be reached */
    const char *credit_currency; /* CREDITS that are money; "" = plain units */
    const char *metadata;        /* a JSON object of texts */
    int64_t version;
    int64_t created_us;
    int64_t updated_us;
    int64_t archived_us; /* 0: in use */
};

const char *feature_kind_name(enum feature_kind kind);
bool feature_kind_parse(const char *name, enum feature_kind *ret_kind);

/* What the merchant gives. path: "feature". Fails with FIELD_INVALID, FEATURE_KIND_MISMATCH,
 * CURRENCY_UNKNOWN. */
struct status
feature_check(struct ctx *cx, const char *path, const struct feature *feature) MUST_CHECK;

/* FEATURE_KIND_MISMATCH: the field does not go with a feature of this kind. */
struct status
feature_mismatch(struct ctx *cx, const struct feature *feature, const char *field) MUST_CHECK;
