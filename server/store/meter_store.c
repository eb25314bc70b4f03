#include "store/meter_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/meter.h"
#include "store/db.h"
#include "store/read_query.h"

#define SELECT                                                                         \
    "SELECT meter_id, meter_no, key, name, description, aggregation, value_property, " \
    "unit, dimensions, durability = 'ASYNC', metadata, stripe_meter_id, version, "     \
    "created_at, updated_at, archived_at FROM meters "

static const struct sql INSERT = {
    "meter_insert",
    "INSERT INTO meters (org_id, meter_id, key, name, description, aggregation, value_property, "
    "unit, dimensions, durability, metadata, created_at, updated_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
};

static const struct sql LOAD = {
    "meter_get",
    SELECT "WHERE org_id = $1 AND key = $2",
};

static const struct sql LOCK = {
    "meter_lock",
    SELECT "WHERE org_id = $1 AND key = $2 FOR NO KEY UPDATE",
};

static const struct sql UPDATE = {
    "meter_update",
    "UPDATE meters SET name = $3, description = $4, unit = $5, dimensions = $6, durability = $7, "
    "metadata = $8, version = $9, updated_at = $10, archived_at = $11 "
    "WHERE org_id = $1 AND meter_id = $2",
};

static const struct sql LIST = {
    "meter_list",
    SELECT "WHERE org_id = $1 AND ($2 = 0 OR (archived_at IS NULL) = ($2 = 1)) "
           "AND ($3::uuid IS NULL OR key > "
           "(SELECT key FROM meters WHERE org_id = $1 AND meter_id = $3)) ORDER BY key LIMIT $4",
};

static const struct sql COUNT = {
    "meter_count",
    "SELECT count(*) FROM meters WHERE org_id = $1 AND archived_at IS NULL",
};

/* What is archived is kept by those who have it, and counts on for them. */
static const struct sql USERS = {
    "meter_users",
    "SELECT (SELECT f.key FROM features f WHERE f.org_id = $1 AND f.meter_id = $2 "
    "AND (f.archived_at IS NULL OR EXISTS (SELECT 1 FROM entitlement_snapshots s "
    "WHERE s.org_id = f.org_id AND s.feature_id = f.feature_id)) ORDER BY f.key LIMIT 1), "
    "(SELECT r.price_id FROM prices r JOIN plans p ON p.org_id = r.org_id "
    "AND p.plan_id = r.plan_id WHERE r.org_id = $1 AND r.meter_id = $2 "
    "AND (r.archived_at IS NULL AND p.archived_at IS NULL OR EXISTS (SELECT 1 "
    "FROM subscription_items i JOIN subscriptions u ON u.org_id = i.org_id "
    "AND u.subscription_id = i.subscription_id WHERE i.org_id = r.org_id "
    "AND i.price_id = r.price_id AND i.removed_at IS NULL "
    "AND u.status NOT IN ('FAILED', 'INCOMPLETE_EXPIRED', 'CANCELED'))) "
    "ORDER BY r.price_id LIMIT 1)",
};

static const struct sql MIRRORED = {
    "meter_mirrored",
    "UPDATE meters SET stripe_meter_id = $3 WHERE org_id = $1 AND meter_id = $2",
};

static struct meter read_meter(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct meter meter = {
        .meter_id = row_id(rows, row, 0),
        .meter_no = (int32_t)row_i64(rows, row, 1),
        .key = row_text(cx, rows, row, 2),
        .name = row_text(cx, rows, row, 3),
        .description = row_text(cx, rows, row, 4),
        .aggregation = METER_SUM,
        .value_property = row_text(cx, rows, row, 6),
        .unit = row_text(cx, rows, row, 7),
        .async = row_bool(rows, row, 9),
        .metadata = row_text(cx, rows, row, 10),
        .stripe_meter_id = row_text(cx, rows, row, 11),
        .version = row_i64(rows, row, 12),
        .created_us = row_time(rows, row, 13),
        .updated_us = row_time(rows, row, 14),
        .archived_us = row_time(rows, row, 15),
    };

    meter_aggregation_parse(row_text(cx, rows, row, 5), &meter.aggregation);
    meter.dimension_count = row_text_array(cx, rows, row, 8, &meter.dimensions);
    return meter;
}

static const char *durability_name(const struct meter *meter)
{
    return meter->async ? "ASYNC" : "SYNC";
}

struct status meter_store_insert(struct ctx *cx, struct tx *tx, const struct meter *meter)
{
    struct params p = NO_PARAMS;
    struct status status;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &meter->meter_id);
    params_text(&p, meter->key);
    params_text(&p, meter->name);
    params_text(&p, meter->description);
    params_text(&p, meter_aggregation_name(meter->aggregation));
    params_text(&p, meter->value_property);
    params_text(&p, meter->unit);
    params_text_array(cx, &p, meter->dimensions, meter->dimension_count);
    params_text(&p, durability_name(meter));
    params_json(&p, meter->metadata);
    params_time(&p, meter->created_us);
    status = tx_execute(cx, tx, &INSERT, &p, NULL);
    if (db_unique_violation(status, "meters_org_id_key_key")) {
        return status_pair(
            cx,
            status_fail(cx, REASON_METER_EXISTS, "meter \"%s\" exists already", meter->key),
            "meter_key",
            meter->key);
    }
    return status;
}

static struct status meter_find(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct sql *sql,
    const char *key,
    struct meter *ret_meter)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, key);
    TRY(read_query(cx, db, tx, sql, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_pair(
            cx,
            status_fail(cx, REASON_METER_NOT_FOUND, "meter \"%s\" does not exist", key),
            "meter_key",
            key);
    }
    *ret_meter = read_meter(cx, rows, 0);
    return STATUS_OK;
}

struct status meter_store_load(
    struct ctx *cx, struct db *db, struct tx *tx, const char *key, struct meter *ret_meter)
{
    return meter_find(cx, db, tx, &LOAD, key, ret_meter);
}

struct status
meter_store_lock(struct ctx *cx, struct tx *tx, const char *key, struct meter *ret_meter)
{
    return meter_find(cx, NULL, tx, &LOCK, key, ret_meter);
}

struct status meter_store_update(struct ctx *cx, struct tx *tx, const struct meter *meter)
{
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &meter->meter_id);
    params_text(&p, meter->name);
    params_text(&p, meter->description);
    params_text(&p, meter->unit);
    params_text_array(cx, &p, meter->dimensions, meter->dimension_count);
    params_text(&p, durability_name(meter));
    params_json(&p, meter->metadata);
    params_i64(&p, meter->version);
    params_time(&p, meter->updated_us);
    params_time_or_null(&p, meter->archived_us);
    return tx_execute(cx, tx, &UPDATE, &p, NULL);
}

struct status meter_store_list(
    struct ctx *cx,
    struct db *db,
    enum catalog_state state,
    const struct id *after,
    int32_t max,
    struct meter **ret_meters,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct meter *meters = NULL;

    params_i64(&p, cx->caller.org_id);
    params_i32(&p, (int32_t)state);
    params_id(&p, after);
    params_i64(&p, max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    meters = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *meters);
    if (meters == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        meters[i] = read_meter(cx, rows, i);
    }
    *ret_meters = meters;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status meter_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    TRY(tx_query(cx, tx, &COUNT, &p, &rows));
    *ret_count = row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status meter_store_users(
    struct ctx *cx, struct tx *tx, const struct id *meter_id, struct meter_users *ret_users)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, meter_id);
    TRY(tx_query(cx, tx, &USERS, &p, &rows));
    *ret_users = (struct meter_users){row_text(cx, rows, 0, 0), row_id(rows, 0, 1)};
    return STATUS_OK;
}

struct status meter_store_mirrored(
    struct ctx *cx, struct db *db, const struct id *meter_id, const char *stripe_meter_id)
{
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, meter_id);
    params_text(&p, stripe_meter_id);
    return db_execute(cx, db, &MIRRORED, &p, NULL);
}
