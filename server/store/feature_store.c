#include "store/feature_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/feature.h"
#include "store/db.h"
#include "store/read_query.h"

#define SELECT                                                                               \
    "SELECT f.feature_id, f.key, f.name, f.description, f.kind, f.meter_id, m.key, f.unit, " \
    "f.permitted_values, f.unreachable_policy = 'ALLOW', f.credit_currency, f.metadata, "    \
    "f.version, f.created_at, f.updated_at, f.archived_at FROM features f "                  \
    "LEFT JOIN meters m ON m.org_id = f.org_id AND m.meter_id = f.meter_id "

static const struct sql INSERT = {
    "feature_insert",
    "INSERT INTO features (org_id, feature_id, key, name, description, kind, meter_id, unit, "
    "permitted_values, unreachable_policy, credit_currency, metadata, created_at, updated_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, nullif($11, ''), $12, $13, $13)",
};

static const struct sql LOAD = {
    "feature_get",
    SELECT "WHERE f.org_id = $1 AND f.key = $2",
};

static const struct sql LOCK = {
    "feature_lock",
    SELECT "WHERE f.org_id = $1 AND f.key = $2 FOR NO KEY UPDATE OF f",
};

static const struct sql UPDATE = {
    "feature_update",
    "UPDATE features SET name = $3, description = $4, unit = $5, permitted_values = $6, "
    "unreachable_policy = $7, metadata = $8, version = $9, updated_at = $10, archived_at = $11 "
    "WHERE org_id = $1 AND feature_id = $2",
};

static const struct sql LIST = {
    "feature_list",
    SELECT "WHERE f.org_id = $1 AND ($2 = '' OR f.kind = $2) "
           "AND ($3 = 0 OR (f.archived_at IS NULL) = ($3 = 1)) AND ($4::uuid IS NULL OR f.key > "
           "(SELECT key FROM features WHERE org_id = $1 AND feature_id = $4)) "
           "ORDER BY f.key LIMIT $5",
};

static const struct sql COUNT = {
    "feature_count",
    "SELECT count(*) FROM features WHERE org_id = $1 AND archived_at IS NULL",
};

static const struct sql PLAN_ON_SALE = {
    "feature_plan_on_sale",
    "SELECT p.plan_id FROM plan_features pf JOIN plans p ON p.org_id = pf.org_id "
    "AND p.plan_id = pf.plan_id JOIN plan_versions v ON v.org_id = pf.org_id "
    "AND v.plan_id = pf.plan_id AND v.plan_version = pf.plan_version "
    "WHERE pf.org_id = $1 AND pf.feature_id = $2 AND p.archived_at IS NULL "
    "AND (p.published_version = pf.plan_version OR v.state = 'PUBLISHING') "
    "ORDER BY p.plan_id LIMIT 1",
};

static struct feature read_feature(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct feature feature = {
        .feature_id = row_id(rows, row, 0),
        .key = row_text(cx, rows, row, 1),
        .name = row_text(cx, rows, row, 2),
        .description = row_text(cx, rows, row, 3),
        .meter_id = row_id(rows, row, 5),
        .meter_key = row_text(cx, rows, row, 6),
        .unit = row_text(cx, rows, row, 7),
        .unreachable_allow = row_bool(rows, row, 9),
        .credit_currency = row_text(cx, rows, row, 10),
        .metadata = row_text(cx, rows, row, 11),
        .version = row_i64(rows, row, 12),
        .created_us = row_time(rows, row, 13),
        .updated_us = row_time(rows, row, 14),
        .archived_us = row_time(rows, row, 15),
    };

    feature_kind_parse(row_text(cx, rows, row, 4), &feature.kind);
    feature.permitted_count = row_text_array(cx, rows, row, 8, &feature.permitted_values);
    return feature;
}

static const char *policy_name(const struct feature *feature)
{
    return feature->unreachable_allow ? "ALLOW" : "DENY";
}

struct status feature_store_insert(struct ctx *cx, struct tx *tx, const struct feature *feature)
{
    struct params p = NO_PARAMS;
    struct status status;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &feature->feature_id);
    params_text(&p, feature->key);
    params_text(&p, feature->name);
    params_text(&p, feature->description);
    params_text(&p, feature_kind_name(feature->kind));
    params_id(&p, &feature->meter_id);
    params_text(&p, feature->unit);
    params_text_array(cx, &p, feature->permitted_values, feature->permitted_count);
    params_text(&p, policy_name(feature));
    params_text(&p, feature->credit_currency);
    params_json(&p, feature->metadata);
    params_time(&p, feature->created_us);
    status = tx_execute(cx, tx, &INSERT, &p, NULL);
    if (db_unique_violation(status, "features_org_id_key_key")) {
        return status_pair(
            cx,
            status_fail(cx, REASON_FEATURE_EXISTS, "feature \"%s\" exists already", feature->key),
            "feature_key",
            feature->key);
    }
    return status;
}

static struct status feature_find(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct sql *sql,
    const char *key,
    struct feature *ret_feature)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, key);
    TRY(read_query(cx, db, tx, sql, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_pair(
            cx,
            status_fail(cx, REASON_FEATURE_NOT_FOUND, "feature \"%s\" does not exist", key),
            "feature_key",
            key);
    }
    *ret_feature = read_feature(cx, rows, 0);
    return STATUS_OK;
}

struct status feature_store_load(
    struct ctx *cx, struct db *db, struct tx *tx, const char *key, struct feature *ret_feature)
{
    return feature_find(cx, db, tx, &LOAD, key, ret_feature);
}

struct status
feature_store_lock(struct ctx *cx, struct tx *tx, const char *key, struct feature *ret_feature)
{
    return feature_find(cx, NULL, tx, &LOCK, key, ret_feature);
}

struct status feature_store_update(struct ctx *cx, struct tx *tx, const struct feature *feature)
{
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &feature->feature_id);
    params_text(&p, feature->name);
    params_text(&p, feature->description);
    params_text(&p, feature->unit);
    params_text_array(cx, &p, feature->permitted_values, feature->permitted_count);
    params_text(&p, policy_name(feature));
    params_json(&p, feature->metadata);
    params_i64(&p, feature->version);
    params_time(&p, feature->updated_us);
    params_time_or_null(&p, feature->archived_us);
    return tx_execute(cx, tx, &UPDATE, &p, NULL);
}

struct status feature_store_list(
    struct ctx *cx,
    struct db *db,
    const struct feature_filter *filter,
    const struct id *after,
    int32_t max,
    struct feature **ret_features,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct feature *features = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, filter->has_kind ? feature_kind_name(filter->kind) : "");
    params_i32(&p, (int32_t)filter->state);
    params_id(&p, after);
    params_i64(&p, max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    features = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *features);
    if (features == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        features[i] = read_feature(cx, rows, i);
    }
    *ret_features = features;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status feature_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    TRY(tx_query(cx, tx, &COUNT, &p, &rows));
    *ret_count = row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status feature_store_plan_on_sale(
    struct ctx *cx, struct tx *tx, const struct id *feature_id, struct id *ret_plan_id)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, feature_id);
    TRY(tx_query(cx, tx, &PLAN_ON_SALE, &p, &rows));
    *ret_plan_id = rows_count(rows) == 0 ? (struct id){{0}} : row_id(rows, 0, 0);
    return STATUS_OK;
}
