#include "store/plan_feature_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/plan.h"
#include "store/db.h"
#include "store/read_query.h"

static const struct sql FILL = {
    "plan_feature_fill",
    "SELECT u.position, pf.feature_id, f.key, f.kind, pf.unlimited, pf.limit_value, "
    "pf.limit_basis = 'SEAT', pf.reset_period, pf.window_anchor = 'CALENDAR', pf.overage_policy, "
    "pf.overage_max, pf.config_value, pf.permitted_values, pf.rollover_windows, pf.trial_max, "
    "pf.priority, pf.threshold_percents "
    "FROM unnest($2::uuid[], $3::int[]) WITH ORDINALITY AS u (plan_id, plan_version, position) "
    "JOIN plan_features pf ON pf.org_id = $1 AND pf.plan_id = u.plan_id "
    "AND pf.plan_version = u.plan_version "
    "JOIN features f ON f.org_id = pf.org_id AND f.feature_id = pf.feature_id "
    "ORDER BY u.position, f.key",
};

static const struct sql SET = {
    "plan_feature_set",
    "INSERT INTO plan_features (org_id, plan_id, plan_version, feature_id, unlimited, limit_value, "
    "limit_basis, reset_period, window_anchor, overage_policy, overage_max, config_value, "
    "permitted_values, rollover_windows, trial_max, priority, threshold_percents) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) "
    "ON CONFLICT (org_id, plan_id, plan_version, feature_id) DO UPDATE SET unlimited = $5, "
    "limit_value = $6, limit_basis = $7, reset_period = $8, window_anchor = $9, "
    "overage_policy = $10, overage_max = $11, config_value = $12, permitted_values = $13, "
    "rollover_windows = $14, trial_max = $15, priority = $16, threshold_percents = $17",
};

static const struct sql REMOVE = {
    "plan_feature_remove",
    "DELETE FROM plan_features WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3 "
    "AND feature_id = (SELECT feature_id FROM features WHERE org_id = $1 AND key = $4)",
};

static const struct sql COPY = {
    "plan_feature_copy",
    "INSERT INTO plan_features (org_id, plan_id, plan_version, feature_id, unlimited, limit_value, "
    "limit_basis, reset_period, window_anchor, overage_policy, overage_max, config_value, "
    "permitted_values, rollover_windows, trial_max, priority, threshold_percents) "
    "SELECT org_id, plan_id, $4, feature_id, unlimited, limit_value, limit_basis, reset_period, "
    "window_anchor, overage_policy, overage_max, config_value, permitted_values, rollover_windows, "
    "trial_max, priority, threshold_percents FROM plan_features "
    "WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3",
};

static const struct sql LOCK = {
    "plan_feature_lock",
    "SELECT f.key, f.archived_at IS NOT NULL, f.meter_id FROM plan_features pf "
    "JOIN features f ON f.org_id = pf.org_id AND f.feature_id = pf.feature_id "
    "WHERE pf.org_id = $1 AND pf.plan_id = $2 AND pf.plan_version = $3 "
    "ORDER BY f.key FOR SHARE OF f",
};

static enum overage_policy policy_of(const char *name)
{
    return strcmp(name, "BILL") == 0    ? OVERAGE_BILL
           : strcmp(name, "ALLOW") == 0 ? OVERAGE_ALLOW
                                        : OVERAGE_DENY;
}

static const char *policy_name(enum overage_policy policy)
{
    return policy == OVERAGE_BILL ? "BILL" : policy == OVERAGE_ALLOW ? "ALLOW" : "DENY";
}

static struct plan_feature read_feature(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct plan_feature feature = {
        .feature_id = row_id(rows, row, 1),
        .feature_key = row_text(cx, rows, row, 2),
        .unlimited = row_bool(rows, row, 4),
        .limit = row_i64(rows, row, 5),
        .per_seat = row_bool(rows, row, 6),
        .calendar = row_bool(rows, row, 8),
        .overage_policy = policy_of(row_text(cx, rows, row, 9)),
        .overage_max = row_i64(rows, row, 10),
        .config = row_text(cx, rows, row, 11),
        .config_text = "",
        .rollover_windows = (int32_t)row_i64(rows, row, 13),
        .has_trial_max = !row_is_null(rows, row, 14),
        .trial_max = row_i64(rows, row, 14),
        .priority = (int32_t)row_i64(rows, row, 15),
    };

    feature_kind_parse(row_text(cx, rows, row, 3), &feature.kind);
    reset_period_parse(row_text(cx, rows, row, 7), &feature.reset);
    feature.has_limit = feature.kind == FEATURE_METERED || feature.kind == FEATURE_CREDITS;
    feature.has_reset = feature.has_limit;
    feature.permitted_count = row_text_array(cx, rows, row, 12, &feature.permitted_values);
    feature.threshold_count = row_i64_array(cx, rows, row, 16, &feature.thresholds);
    return feature;
}

struct status plan_feature_store_fill(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct params *versions_params,
    struct plan_version *versions,
    size_t count)
{
    AUTO_ROWS rows = NULL;
    struct plan_feature *features = NULL;

    TRY(read_query(cx, db, tx, &FILL, versions_params, &rows));
    features = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *features);
    if (features == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        versions[i].features = features;
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        struct plan_version *version = &versions[row_i64(rows, i, 0) - 1];

        features[i] = read_feature(cx, rows, i);
        if (version->feature_count++ == 0) {
            version->features = &features[i];
        }
    }
    return STATUS_OK;
}

static void
params_version(const struct ctx *cx, const struct plan_version_ref *ref, struct params *p)
{
    params_i64(p, cx->caller.org_id);
    params_id(p, &ref->plan_id);
    params_i32(p, ref->number);
}

struct status plan_feature_store_set(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version_ref *ref,
    const struct plan_feature *feature)
{
    struct params p = NO_PARAMS;
    struct status status;

    params_version(cx, ref, &p);
    params_id(&p, &feature->feature_id);
    params_bool(&p, feature->unlimited);
    params_i64(&p, feature->limit);
    params_text(&p, feature->per_seat ? "SEAT" : "SUBSCRIPTION");
    params_text(&p, reset_period_name(feature->reset));
    params_text(&p, feature->calendar ? "CALENDAR" : "ANNIVERSARY");
    params_text(&p, policy_name(feature->overage_policy));
    params_i64(&p, feature->overage_max);
    params_json(&p, feature->config[0] == '\0' ? NULL : feature->config);
    params_text_array(cx, &p, feature->permitted_values, feature->permitted_count);
    params_i32(&p, feature->rollover_windows);
    params_i64_or_null(&p, feature->trial_max, feature->has_trial_max);
    params_i32(&p, feature->priority);
    params_i64_array(cx, &p, feature->thresholds, feature->threshold_count);
    status = tx_execute(cx, tx, &SET, &p, NULL);
    /* Class 22 of SQLSTATE: valid JSON that jsonb cannot hold, "\u0000" or a number beyond it. */
    if (strncmp(db_sqlstate(status), "22", 2) == 0) {
        return status_field(cx, "config.json", "holds something that cannot be stored");
    }
    return status;
}

struct status plan_feature_store_remove(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version_ref *ref,
    const char *feature_key,
    bool *ret_removed)
{
    struct params p = NO_PARAMS;
    int64_t affected = 0;

    params_version(cx, ref, &p);
    params_text(&p, feature_key);
    TRY(tx_execute(cx, tx, &REMOVE, &p, &affected));
    *ret_removed = affected > 0;
    return STATUS_OK;
}

struct status plan_feature_store_copy(
    struct ctx *cx, struct tx *tx, const struct plan_version_ref *from, int32_t to)
{
    struct params p = NO_PARAMS;

    params_version(cx, from, &p);
    params_i32(&p, to);
    return tx_execute(cx, tx, &COPY, &p, NULL);
}

struct status plan_feature_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct plan_version_ref *ref,
    struct id **ret_meters,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct id *meters = NULL;

    params_version(cx, ref, &p);
    TRY(tx_query(cx, tx, &LOCK, &p, &rows));
    meters = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *meters);
    if (meters == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        const char *key = row_text(cx, rows, i, 0);

        if (row_bool(rows, i, 1)) {
            return status_pair(
                cx,
                status_fail(cx, REASON_FEATURE_ARCHIVED, "feature \"%s\" is archived", key),
                "feature_key",
                key);
        }
        meters[i] = row_id(rows, i, 2);
    }
    *ret_meters = meters;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}
