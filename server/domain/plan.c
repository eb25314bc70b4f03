#include "domain/plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"

static const char *const state_names[] = {
    [PLAN_DRAFT] = "DRAFT",
    [PLAN_PUBLISHING] = "PUBLISHING",
    [PLAN_PUBLISHED] = "PUBLISHED",
};

const char *plan_version_state_name(enum plan_version_state state)
{
    return state_names[state];
}

bool plan_version_state_parse(const char *name, enum plan_version_state *ret_state)
{
    for (size_t i = 0; i < ARRAY_LEN(state_names); i++) {
        if (strcmp(state_names[i], name) == 0) {
            *ret_state = (enum plan_version_state)i;
            return true;
        }
    }
    return false;
}

struct status plan_check(struct ctx *cx, const char *path, const struct plan *plan)
{
    struct status result = STATUS_OK;
    const char *compatible = field_path(cx, path, "compatible_plan_keys");

    field_note(cx, &result, field_check_key(cx, field_path(cx, path, "plan_key"), plan->key));
    field_note(cx, &result, field_check_text(cx, field_path(cx, path, "name"), plan->name, 1, 100));
    field_note(
        cx,
        &result,
        field_check_text(cx, field_path(cx, path, "description"), plan->description, 0, 1000));
    field_note(
        cx,
        &result,
        field_check_range(
            cx, field_path(cx, path, "display_order"), plan->display_order, 0, 10000));
    field_note(
        cx,
        &result,
        field_check_range(
            cx,
            field_path(cx, path, "application_fee_basis_points"),
            plan->application_fee_bps,
            0,
            10000));
    field_note(
        cx,
        &result,
        field_check_texts(
            cx,
            compatible,
            plan->compatible_keys,
            plan->compatible_count,
            PLAN_COMPATIBLE_MAX,
            64));
    if (!plan->addon && plan->compatible_count > 0) {
        field_note(cx, &result, status_field(cx, compatible, "go with ADDON only"));
    }
    return result;
}

struct status
plan_version_check(struct ctx *cx, const char *path, const struct plan_version *version)
{
    struct status result = STATUS_OK;

    field_note(
        cx,
        &result,
        field_check_range(
            cx, field_path(cx, path, "trial_days"), version->trial_days, 0, PLAN_TRIAL_DAYS_MAX));
    field_note(
        cx, &result, field_check_text(cx, field_path(cx, path, "note"), version->note, 0, 1000));
    return result;
}

/* What only a counted feature can have. */
static struct status plan_feature_check_uncounted(
    struct ctx *cx,
    const char *path,
    const struct plan_feature *terms,
    const struct feature *feature)
{
    const struct {
        const char *name;
        bool given;
    } fields[] = {
        {"limit", terms->has_limit},
        {"reset_period", terms->has_reset},
        {"limit_basis", terms->per_seat},
        {"window_anchor", terms->calendar},
        {"overage_policy", terms->overage_policy != OVERAGE_DENY},
        {"overage_max", terms->overage_max != 0},
        {"rollover_windows", terms->rollover_windows != 0},
        {"trial_max", terms->has_trial_max},
        {"threshold_percents", terms->threshold_count != 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (fields[i].given) {
            return feature_mismatch(cx, feature, field_path(cx, path, fields[i].name));
        }
    }
    return STATUS_OK;
}

static struct status
check_thresholds(struct ctx *cx, const char *field, const int64_t *thresholds, size_t count)
{
    if (count > PLAN_THRESHOLDS_MAX) {
        return status_field(
            cx, field, "has %zu entries, at most %d are allowed", count, PLAN_THRESHOLDS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(field_check_range(cx, field_item(cx, field, i), thresholds[i], 1, 1000));
    }
    return STATUS_OK;
}

static struct status
plan_feature_check_counted(struct ctx *cx, const char *path, const struct plan_feature *terms)
{
    struct status result = STATUS_OK;
    const char *max = field_path(cx, path, "overage_max");

    if (!terms->has_limit) {
        field_note(
            cx,
            &result,
            status_field(cx, field_path(cx, path, "limit"), "max or unlimited is required"));
    }
    if (!terms->has_reset) {
        field_note(
            cx, &result, status_field(cx, field_path(cx, path, "reset_period"), "is required"));
    }
    field_note(
        cx,
        &result,
        field_check_range(cx, field_path(cx, path, "max"), terms->limit, 0, INT64_MAX));
    field_note(cx, &result, field_check_range(cx, max, terms->overage_max, 0, INT64_MAX));
    if (terms->overage_max > 0 && terms->overage_policy == OVERAGE_DENY) {
        field_note(cx, &result, status_field(cx, max, "needs overage_policy ALLOW or BILL"));
    }
    field_note(
        cx,
        &result,
        field_check_range(cx, field_path(cx, path, "trial_max"), terms->trial_max, 0, INT64_MAX));
    field_note(
        cx,
        &result,
        field_check_range(
            cx, field_path(cx, path, "rollover_windows"), terms->rollover_windows, 0, 24));
    field_note(
        cx,
        &result,
        check_thresholds(
            cx,
            field_path(cx, path, "threshold_percents"),
            terms->thresholds,
            terms->threshold_count));
    return result;
}

static bool is_permitted(const struct feature *feature, const char *value)
{
    for (size_t i = 0; i < feature->permitted_count; i++) {
        if (strcmp(feature->permitted_values[i], value) == 0) {
            return true;
        }
    }
    return feature->permitted_count == 0;
}

static struct status plan_feature_check_config(
    struct ctx *cx,
    const char *path,
    const struct plan_feature *terms,
    const struct feature *feature)
{
    const char *config = field_path(cx, path, "config");
    const char *values = field_path(cx, path, "permitted_values");
    struct status result = STATUS_OK;

    if (terms->config[0] == '\0') {
        field_note(cx, &result, status_field(cx, config, "is required for CONFIG"));
    } else if (feature->permitted_count > 0 && !is_permitted(feature, terms->config_text)) {
        field_note(
            cx,
            &result,
            status_field(cx, config, "is not one of the permitted values of the feature"));
    }
    field_note(
        cx,
        &result,
        field_check_texts(
            cx,
            values,
            terms->permitted_values,
            terms->permitted_count,
            FEATURE_VALUES_MAX,
            FEATURE_VALUE_LETTERS_MAX));
    for (size_t i = 0; i < terms->permitted_count; i++) {
        if (!is_permitted(feature, terms->permitted_values[i])) {
            field_note(
                cx,
                &result,
                status_field(
                    cx,
                    field_item(cx, values, i),
                    "is not one of the permitted values of the feature"));
        }
    }
    return result;
}

struct status plan_feature_check(
    struct ctx *cx,
    const char *path,
    const struct plan_feature *terms,
    const struct feature *feature)
{
    const bool counted = feature->kind == FEATURE_METERED || feature->kind == FEATURE_CREDITS;
    struct status result = STATUS_OK;

    if (feature->archived_us != 0) {
        return status_pair(
            cx,
            status_fail(cx, REASON_FEATURE_ARCHIVED, "feature \"%s\" is archived", feature->key),
            "feature_key",
            feature->key);
    }
    if (feature->kind != FEATURE_CONFIG &&
        (terms->config[0] != '\0' || terms->permitted_count > 0)) {
        return feature_mismatch(
            cx,
            feature,
            field_path(cx, path, terms->config[0] != '\0' ? "config" : "permitted_values"));
    }
    if (counted) {
        field_note(cx, &result, plan_feature_check_counted(cx, path, terms));
    } else {
        field_note(cx, &result, plan_feature_check_uncounted(cx, path, terms, feature));
    }
    if (feature->kind == FEATURE_CONFIG) {
        field_note(cx, &result, plan_feature_check_config(cx, path, terms, feature));
    }
    field_note(
        cx,
        &result,
        field_check_range(cx, field_path(cx, path, "priority"), terms->priority, -1000, 1000));
    return result;
}

struct status
plan_version_pairs(struct ctx *cx, struct status status, const struct id *plan_id, int32_t number)
{
    status = status_pair(cx, status, "plan_id", id_text(cx->arena, ID_PLAN, plan_id));
    return status_pair(cx, status, "version", arena_printf(cx->arena, "%" PRId32, number));
}

/* A zero meter is that of a credit feature, whose overage any metered price may bill. */
static bool bills_meter(const struct plan_version *version, const struct id *meter)
{
    for (size_t i = 0; i < version->price_count; i++) {
        const struct price *price = &version->prices[i];

        if (price->archived_us == 0 && price_metered(price) &&
            (id_is_zero(meter) || id_equal(&price->meter_id, meter))) {
            return true;
        }
    }
    return false;
}

struct status plan_version_check_complete(
    struct ctx *cx, const struct plan_version *version, const struct id *meters)
{
    struct status result = STATUS_OK;

    if (version->price_count == 0) {
        return plan_version_pairs(
            cx,
            status_fail(
                cx,
                REASON_PLAN_HAS_NO_PRICE,
                "version %" PRId32 " has no price: one of zero says that it is free",
                version->number),
            &version->plan_id,
            version->number);
    }
    for (size_t i = 0; i < version->feature_count; i++) {
        const struct plan_feature *feature = &version->features[i];

        if (feature->overage_policy == OVERAGE_BILL && !bills_meter(version, &meters[i])) {
            field_note(
                cx,
                &result,
                status_field(
                    cx,
                    field_path(cx, field_item(cx, "version.features", i), "overage_policy"),
                    "of \"%s\" is BILL, which needs a price with the meter of the feature",
                    feature->feature_key));
        }
    }
    return result;
}

bool plan_version_charges(const struct plan_version *version)
{
    for (size_t i = 0; i < version->price_count; i++) {
        if (version->prices[i].archived_us == 0 && !price_is_free(&version->prices[i])) {
            return true;
        }
    }
    return false;
}
