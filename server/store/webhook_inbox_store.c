#include "store/webhook_inbox_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

static const char *const state_names[] = {
    [INBOX_NEW] = "NEW",
    [INBOX_DONE] = "DONE",
    [INBOX_PARKED] = "PARKED",
    [INBOX_IGNORED] = "IGNORED",
    [INBOX_FAILED] = "FAILED",
};

/* Here and below over all organisations: whose an event is has to be found out. */
static const struct sql INSERT = {
    "webhook_inbox_insert",
    "INSERT INTO webhook_inbox (account_id, event_id, live, type, object_type, object_id, "
    "request_key, event_at, payload, state, error, api_version) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
    "ON CONFLICT (account_id, event_id) DO NOTHING",
};

/* Over all organisations: this is where the tenant is found out. */
static const struct sql TAKE = {
    "webhook_inbox_take",
    "SELECT w.inbox_id, w.account_id, w.event_id, w.live, w.type, w.object_type, w.object_id, "
    "w.request_key, w.event_at, w.received_at, coalesce(a.org_id, 0) FROM webhook_inbox w "
    "LEFT JOIN stripe_account_index a ON a.account_id = w.account_id AND a.live = w.live "
    "WHERE w.state = 'NEW' ORDER BY w.inbox_id LIMIT $1 FOR UPDATE OF w SKIP LOCKED",
};

static const struct sql SETTLE = {
    "webhook_inbox_settle",
    "UPDATE webhook_inbox w SET state = n.state, error = n.error, handled_at = now() "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) "
    "AS n (account_id, event_id, state, error) "
    "WHERE w.account_id = n.account_id AND w.event_id = n.event_id",
};

/* Over all organisations, as the event may be of none. */
static const struct sql FAIL = {
    "webhook_inbox_fail",
    "UPDATE webhook_inbox SET attempts = attempts + 1, error = $3, "
    "handled_at = CASE WHEN attempts + 1 >= $4 THEN now() END, "
    "state = CASE WHEN attempts + 1 >= $4 THEN 'FAILED' ELSE state END "
    "WHERE account_id = $1 AND event_id = $2 AND state = 'NEW'",
};

/* Over all organisations. */
static const struct sql UNPARK = {
    "webhook_inbox_unpark",
    "UPDATE webhook_inbox w SET state = 'NEW' FROM stripe_account_index a "
    "WHERE w.state = 'PARKED' AND a.account_id = w.account_id AND a.live = w.live",
};

/* Row by row, because the table is not partitioned by time (migration 0015 says why). */
static const struct sql PRUNE = {
    "webhook_inbox_prune",
    "DELETE FROM webhook_inbox WHERE (account_id, event_id) IN (SELECT account_id, event_id "
    "FROM webhook_inbox WHERE state <> 'NEW' "
    "AND received_at < now() - make_interval(days => $1) LIMIT $2)",
};

struct status webhook_inbox_store_insert(
    struct ctx *cx, struct db *db, const struct inbox_event *event, bool *ret_inserted)
{
    struct params p = {0};
    int64_t inserted = 0;

    params_text(&p, event->account_id);
    params_text(&p, event->event_id);
    params_bool(&p, event->live);
    params_text(&p, event->type);
    params_text(&p, event->object_type);
    params_text(&p, event->object_id);
    params_text(&p, event->request_key);
    params_time(&p, event->event_us);
    params_bytes(&p, event->payload.ptr, event->payload.len);
    params_text(&p, state_names[event->state]);
    params_text(&p, event->error);
    params_text(&p, event->api_version);
    TRY(db_execute(cx, db, &INSERT, &p, &inserted));
    *ret_inserted = inserted == 1;
    return STATUS_OK;
}

struct status webhook_inbox_store_take(
    struct ctx *cx, struct tx *tx, size_t max, struct inbox_event **ret_events, size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct inbox_event *events = NULL;

    params_i64(&p, (int64_t)max);
    TRY(tx_query(cx, tx, &TAKE, &p, &rows));
    events = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *events);
    if (events == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        events[i] = (struct inbox_event){
            .inbox_id = row_i64(rows, i, 0),
            .account_id = row_text(cx, rows, i, 1),
            .event_id = row_text(cx, rows, i, 2),
            .live = row_bool(rows, i, 3),
            .type = row_text(cx, rows, i, 4),
            .object_type = row_text(cx, rows, i, 5),
            .object_id = row_text(cx, rows, i, 6),
            .request_key = row_text(cx, rows, i, 7),
            .event_us = row_time(rows, i, 8),
            .received_us = row_time(rows, i, 9),
            .org_id = row_i64(rows, i, 10),
            .state = INBOX_NEW,
            .error = "",
        };
    }
    *ret_events = events;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status webhook_inbox_store_settle(
    struct ctx *cx, struct tx *tx, const struct inbox_event *events, size_t count)
{
    struct params p = {0};
    const char **columns = arena_try_alloc(cx->arena, (count + 1) * 4 * sizeof *columns);

    if (columns == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        columns[i] = events[i].account_id;
        columns[count + i] = events[i].event_id;
        columns[2 * count + i] = state_names[events[i].state];
        columns[3 * count + i] = events[i].error;
    }
    for (size_t i = 0; i < 4; i++) {
        params_text_array(cx, &p, columns + i * count, count);
    }
    return tx_queue_execute(cx, tx, &SETTLE, &p);
}

struct status webhook_inbox_store_fail(
    struct ctx *cx,
    struct db *db,
    const struct inbox_event *event,
    const char *error,
    int64_t attempts_max)
{
    struct params p = {0};

    params_text(&p, event->account_id);
    params_text(&p, event->event_id);
    params_text(&p, error);
    params_i32(&p, (int32_t)attempts_max);
    return db_execute(cx, db, &FAIL, &p, NULL);
}

struct status webhook_inbox_store_unpark(struct ctx *cx, struct db *db, size_t *ret_count)
{
    int64_t updated = 0;

    TRY(db_execute(cx, db, &UNPARK, &NO_PARAMS, &updated));
    *ret_count = (size_t)updated;
    return STATUS_OK;
}

struct status webhook_inbox_store_prune(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count)
{
    struct params p = {0};
    int64_t deleted = 0;

    params_i32(&p, (int32_t)keep_days);
    params_i64(&p, (int64_t)max);
    TRY(db_execute(cx, db, &PRUNE, &p, &deleted));
    *ret_count = (size_t)deleted;
    return STATUS_OK;
}
