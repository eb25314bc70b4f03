#include "store/drift_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/wallclock.h"
#include "store/db.h"

static const struct sql INSERT = {
    "drift_insert",
    "INSERT INTO drift_records (org_id, run_id, drift_id, kind, object_type, object_id, stripe_id, "
    "changes, cause, age_seconds, found_at, repaired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
    "$9, $10, $11, CASE WHEN $12 THEN $11 END)",
};

static const struct sql REPAIRED = {
    "drift_repaired",
    "UPDATE drift_records SET repaired_at = now() WHERE org_id = $1 AND drift_id = $2",
};

static const struct sql LIST = {
    "drift_list",
    "SELECT run_id, drift_id, kind, object_type, object_id, stripe_id, changes, cause, "
    "age_seconds, found_at, repaired_at IS NOT NULL FROM drift_records WHERE org_id = $1 "
    "AND ($2::uuid IS NULL OR run_id = $2) AND ($3 = '' OR kind = $3) "
    "AND (NOT $4 OR repaired_at IS NULL) AND ($5::uuid IS NULL OR drift_id < $5) "
    "ORDER BY drift_id DESC LIMIT $6",
};

static const struct sql EVENT = {
    "drift_event",
    "SELECT w.state = 'NEW' OR (d.org_id IS NOT NULL AND d.quarantined_at IS NULL), "
    "w.state = 'FAILED' OR d.quarantined_at IS NOT NULL, w.received_at FROM webhook_inbox w "
    "LEFT JOIN dirty_objects d ON d.org_id = $1 AND d.object_id = w.object_id "
    "AND d.object_type = w.object_type WHERE w.account_id = $2 AND w.object_id = $3 "
    "AND w.live = $4 ORDER BY w.received_at DESC LIMIT 1",
};

struct status drift_store_insert(struct ctx *cx, struct tx *tx, const struct drift *drift)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &drift->run_id);
    params_id(&p, &drift->drift_id);
    params_text(&p, drift_kind_name(drift->kind));
    params_text(&p, drift->object_type);
    params_text(&p, drift->resource_id);
    params_text(&p, drift->stripe_id);
    params_json(&p, drift->changes);
    params_text(&p, drift->cause);
    params_i64(&p, drift->age_us / US_PER_SECOND);
    params_time(&p, drift->found_us);
    params_bool(&p, drift->repaired);
    return tx_execute(cx, tx, &INSERT, &p, NULL);
}

struct status drift_store_list(
    struct ctx *cx,
    struct db *db,
    const struct drift_filter *filter,
    size_t max,
    struct drift **ret_drifts,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct drift *drifts = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &filter->run_id);
    params_text(&p, drift_kind_name(filter->kind));
    params_bool(&p, filter->open_only);
    params_id(&p, &filter->before);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    drifts = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *drifts);
    if (drifts == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        drifts[i] = (struct drift){
            .run_id = row_id(rows, i, 0),
            .drift_id = row_id(rows, i, 1),
            .kind = drift_kind_parse(row_text(cx, rows, i, 2)),
            .object_type = row_text(cx, rows, i, 3),
            .resource_id = row_text(cx, rows, i, 4),
            .stripe_id = row_text(cx, rows, i, 5),
            .changes = row_text(cx, rows, i, 6),
            .cause = row_text(cx, rows, i, 7),
            .age_us = row_i64(rows, i, 8) * US_PER_SECOND,
            .found_us = row_time(rows, i, 9),
            .repaired = row_bool(rows, i, 10),
        };
    }
    *ret_drifts = drifts;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status drift_store_event(
    struct ctx *cx,
    struct db *db,
    const char *account_id,
    const char *object_id,
    struct drift_event *ret_event)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, account_id);
    params_text(&p, object_id);
    params_bool(&p, cx->caller.live);
    TRY(db_query(cx, db, &EVENT, &p, &rows));
    *ret_event = (struct drift_event){.found = rows_count(rows) == 1};
    if (ret_event->found) {
        ret_event->waits = row_bool(rows, 0, 0);
        ret_event->set_aside = row_bool(rows, 0, 1);
        ret_event->received_us = row_time(rows, 0, 2);
    }
    return STATUS_OK;
}

struct status drift_store_repaired(struct ctx *cx, struct tx *tx, const struct id *drift_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, drift_id);
    return tx_execute(cx, tx, &REPAIRED, &p, NULL);
}
