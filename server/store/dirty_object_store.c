#include "store/dirty_object_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

/* Sorted, so that two batches lock the same rows in the same order. */
static const struct sql MARK = {
    "dirty_object_mark",
    "INSERT INTO dirty_objects (org_id, object_type, object_id, first_seen_at, events) "
    "SELECT n.org_id, n.object_type, n.object_id, min(n.seen_at), count(*) "
    "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[]) "
    "AS n (org_id, object_type, object_id, seen_at) "
    "GROUP BY n.org_id, n.object_type, n.object_id ORDER BY 1, 2, 3 "
    "ON CONFLICT (org_id, object_type, object_id) DO UPDATE SET mark = dirty_objects.mark + 1, "
    "events = dirty_objects.events + excluded.events, next_attempt_at = now(), attempts = 0, "
    "quarantined_at = NULL",
};

static const struct sql TAKE = {
    "dirty_object_take",
    "UPDATE dirty_objects SET next_attempt_at = now() + make_interval(secs => $1::bigint), "
    "attempts = attempts + 1 WHERE (org_id, object_type, object_id) IN "
    "(SELECT org_id, object_type, object_id FROM dirty_objects WHERE quarantined_at IS NULL "
    "AND next_attempt_at <= now() "
    "ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED) "
    "RETURNING org_id, object_type, object_id, first_seen_at, mark, attempts",
};

static const struct sql CLEAR = {
    "dirty_object_clear",
    "DELETE FROM dirty_objects WHERE org_id = $1 AND object_type = $2 AND object_id = $3 "
    "AND mark = $4",
};

/* An event that came meanwhile has set the time to now: then there is nothing to put off. */
static const struct sql POSTPONE = {
    "dirty_object_postpone",
    "UPDATE dirty_objects SET next_attempt_at = now() + make_interval(secs => $5::bigint), "
    "error = $6, quarantined_at = CASE WHEN $7 THEN now() END WHERE org_id = $1 AND object_type = "
    "$2 AND object_id = $3 AND mark = $4",
};

static const struct sql FETCH_NUMBER = {"fetch_number", "SELECT nextval('fetch_numbers')"};

/* What is set aside does not count: one object that cannot be read must not make every answer about
 * the organisation an old one. It is counted by webhook_ops_store_totals(). */
static const struct sql BACKLOG = {
    "mirror_backlog",
    "SELECT org_id, min(seen_at), (SELECT count(*) FROM webhook_inbox WHERE state = 'NEW') FROM ("
    "SELECT org_id, first_seen_at AS seen_at FROM dirty_objects WHERE quarantined_at IS NULL UNION "
    "ALL "
    "SELECT a.org_id, w.received_at FROM webhook_inbox w JOIN stripe_account_index a "
    "ON a.account_id = w.account_id AND a.live = w.live WHERE w.state = 'NEW') AS waiting "
    "GROUP BY org_id ORDER BY org_id LIMIT $1",
};

struct status dirty_object_store_mark(
    struct ctx *cx, struct tx *tx, const struct dirty_object *objects, size_t count)
{
    struct params p = {0};
    int64_t *orgs = arena_try_alloc(cx->arena, (count + 1) * sizeof *orgs);
    int64_t *times = arena_try_alloc(cx->arena, (count + 1) * sizeof *times);
    const char **types = arena_try_alloc(cx->arena, (count + 1) * sizeof *types);
    const char **ids = arena_try_alloc(cx->arena, (count + 1) * sizeof *ids);

    if (orgs == NULL || times == NULL || types == NULL || ids == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    if (count == 0) {
        return STATUS_OK;
    }
    for (size_t i = 0; i < count; i++) {
        orgs[i] = objects[i].org_id;
        types[i] = objects[i].object_type;
        ids[i] = objects[i].object_id;
        times[i] = objects[i].first_seen_us;
    }
    params_i64_array(cx, &p, orgs, count);
    params_text_array(cx, &p, types, count);
    params_text_array(cx, &p, ids, count);
    params_time_array(cx, &p, times, count);
    return tx_queue_execute(cx, tx, &MARK, &p);
}

struct status dirty_object_store_take(
    struct ctx *cx,
    struct db *db,
    int64_t lease_seconds,
    size_t max,
    struct dirty_object **ret_objects,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct dirty_object *objects = NULL;

    params_i64(&p, lease_seconds);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &TAKE, &p, &rows));
    objects = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *objects);
    if (objects == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        objects[i] = (struct dirty_object){
            .org_id = row_i64(rows, i, 0),
            .object_type = row_text(cx, rows, i, 1),
            .object_id = row_text(cx, rows, i, 2),
            .first_seen_us = row_time(rows, i, 3),
            .mark = row_i64(rows, i, 4),
            .attempts = row_i64(rows, i, 5),
        };
    }
    *ret_objects = objects;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status
dirty_object_store_clear(struct ctx *cx, struct tx *tx, const struct dirty_object *object)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text(&p, object->object_type);
    params_text(&p, object->object_id);
    params_i64(&p, object->mark);
    return tx_queue_execute(cx, tx, &CLEAR, &p);
}

struct status dirty_object_store_postpone(
    struct ctx *cx,
    struct db *db,
    const struct dirty_object *object,
    int64_t delay_seconds,
    const char *error,
    bool set_aside)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text(&p, object->object_type);
    params_text(&p, object->object_id);
    params_i64(&p, object->mark);
    params_i64(&p, delay_seconds);
    params_text(&p, error);
    params_bool(&p, set_aside);
    return db_execute(cx, db, &POSTPONE, &p, NULL);
}

struct status dirty_object_store_fetch_number(struct ctx *cx, struct db *db, int64_t *ret_number)
{
    AUTO_ROWS rows = NULL;

    TRY(db_query(cx, db, &FETCH_NUMBER, &NO_PARAMS, &rows));
    *ret_number = row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status dirty_object_store_backlog(
    struct ctx *cx,
    struct db *db,
    size_t max,
    struct mirror_backlog **ret_backlog,
    size_t *ret_count,
    int64_t *ret_inbox_depth)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct mirror_backlog *backlog = NULL;

    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &BACKLOG, &p, &rows));
    backlog = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *backlog);
    if (backlog == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        backlog[i] = (struct mirror_backlog){row_i64(rows, i, 0), row_time(rows, i, 1)};
    }
    *ret_backlog = backlog;
    *ret_count = rows_count(rows);
    *ret_inbox_depth = rows_count(rows) == 0 ? 0 : row_i64(rows, 0, 2);
    return STATUS_OK;
}
