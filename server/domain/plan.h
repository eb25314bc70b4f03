#pragma once

/* A thing to subscribe to, and its versions: what each gives and costs. Pure.
 *
 *            CreatePlan, CreatePlanVersion
 *                       v
 *     deleted <------ DRAFT <-----------.  the payment side refuses
 *                       | PublishPlan   |
 *                       v               |
 *                   PUBLISHING ---------'
 *                       | made at the payment side
 *                       v
 *                   PUBLISHED              frozen; superseded when a later one is
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/entitlement.h"
#include "domain/feature.h"
#include "domain/period.h"
#include "domain/price.h"

struct ctx;

#define PLANS_MAX 1000 /* live ones of one organisation */
#define PLAN_FEATURES_MAX 200
#define PLAN_PRICES_MAX 100
#define PLAN_TRIAL_DAYS_MAX 730
#define PLAN_COMPATIBLE_MAX 100
#define PLAN_THRESHOLDS_MAX 10

struct plan {
    struct id plan_id;
    const char *key;
    const char *name;
    const char *description;
    bool addon;                /* sold on top of a base plan */
    int32_t published_version; /* what new subscribers get; 0: none yet */
    int32_t draft_version;     /* not published yet; 0: none */
    int32_t latest_version;    /* the highest number ever given */
    int32_t display_order;
    const char *const *compatible_keys; /* add-ons: base plans; none: all */
    size_t compatible_count;
    int32_t application_fee_bps;   /* 0: that of the account */
    const char *metadata;          /* a JSON object of texts */
    const char *stripe_product_id; /* "" = not made at the payment side */
    int64_t version;
    int64_t created_us;
    int64_t updated_us;
    int64_t archived_us; /* 0: in use */
};

enum plan_version_state {
    PLAN_DRAFT,
    PLAN_PUBLISHING,
    PLAN_PUBLISHED
};

/* The terms on which a version gives a feature. */
struct plan_feature {
    struct id feature_id;
    const char *feature_key;
    enum feature_kind kind;
    bool has_limit; /* METERED and CREDITS */
    bool unlimited;
    int64_t limit;
    bool per_seat;  /* the limit is multiplied by the quantity */
    bool has_reset; /* METERED and CREDITS */
    enum reset_period reset;
    bool calendar; /* windows begin at midnight, not at the anniversary */
    enum overage_policy overage_policy;
    int64_t overage_max; /* 0: no cap */
    const char *config;  /* CONFIG: {"number": 50}, {"text": "gold"} or {"json": ...}; "" = none */
    const char
        *config_text; /* the text of {"text": ...}; "" when it is another one or is read back */
    const char *const *permitted_values;
    size_t permitted_count;
    int32_t rollover_windows;
    bool has_trial_max;
    int64_t trial_max;
    int32_t priority;
    const int64_t *thresholds; /* percents */
    size_t threshold_count;
};

struct plan_version {
    struct id plan_id;
    int32_t number;
    enum plan_version_state state;
    bool superseded; /* PUBLISHED and a later one is on sale */
    int32_t trial_days;
    bool trial_needs_payment_method;
    const char *note;
    int64_t subscriber_count;
    int64_t version;
    int64_t created_us;
    int64_t published_us;                /* 0: not published */
    const struct plan_feature *features; /* by key */
    size_t feature_count;
    const struct price *prices; /* oldest first, archived ones too */
    size_t price_count;
};

const char *plan_version_state_name(enum plan_version_state state);
bool plan_version_state_parse(const char *name, enum plan_version_state *ret_state);

/* What the merchant gives. path: "plan". Fails with FIELD_INVALID. */
struct status plan_check(struct ctx *cx, const char *path, const struct plan *plan) MUST_CHECK;

/* trial_days and note. */
struct status
plan_version_check(struct ctx *cx, const char *path, const struct plan_version *version) MUST_CHECK;

/* The terms against the feature they are for. path: "feature", "features[2]". Fails with
 * FIELD_INVALID, FEATURE_KIND_MISMATCH, FEATURE_ARCHIVED. */
struct status plan_feature_check(
    struct ctx *cx,
    const char *path,
    const struct plan_feature *terms,
    const struct feature *feature) MUST_CHECK;

/* Whether the draft makes sense as a whole: it has a price (zero says "free"), and a metered price
 * of the right meter wherever overage is billed. features: the meter of each METERED feature, in
 * the order of version->features. Fails with PLAN_HAS_NO_PRICE, FIELD_INVALID. */
struct status plan_version_check_complete(
    struct ctx *cx, const struct plan_version *version, const struct id *meters) MUST_CHECK;

/* Some price of it asks for money. */
bool plan_version_charges(const struct plan_version *version);

/* The pairs plan_id and version. */
struct status plan_version_pairs(
    struct ctx *cx, struct status status, const struct id *plan_id, int32_t number) MUST_CHECK;
