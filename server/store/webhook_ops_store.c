#include "store/webhook_ops_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

#define COLUMNS                                                                        \
    "SELECT w.account_id, w.event_id, w.live, w.type, w.object_type, w.object_id, "    \
    "w.api_version, CASE WHEN w.state = 'DONE' AND d.quarantined_at IS NOT NULL "      \
    "THEN 'QUARANTINED' ELSE w.state END, "                                            \
    "greatest(w.attempts, coalesce(d.attempts, 0)), "                                  \
    "CASE WHEN w.error = '' THEN coalesce(d.error, '') ELSE w.error END, w.event_at, " \
    "w.received_at, w.handled_at, w.listed"

#define TABLES                                                                             \
    " FROM webhook_inbox w "                                                               \
    "LEFT JOIN stripe_account_index a ON a.account_id = w.account_id AND a.live = w.live " \
    "LEFT JOIN dirty_objects d ON d.org_id = a.org_id AND d.object_type = w.object_type "  \
    "AND d.object_id = w.object_id AND d.first_seen_at <= w.received_at "

static const struct sql LIST = {
    "webhook_ops_list",
    COLUMNS TABLES "WHERE ($1 = '' OR w.account_id = $1) AND (w.state = ANY ($2) "
                   "OR ($3 AND w.state = 'DONE' AND d.quarantined_at IS NOT NULL)) "
                   "ORDER BY w.received_at DESC, w.inbox_id DESC LIMIT $4",
};

/* Two rows tell that there is not only one. */
static const struct sql FIND = {
    "webhook_ops_find",
    COLUMNS ", convert_from(w.payload, 'UTF8')" TABLES
            "WHERE w.event_id = $2 AND ($1 = '' OR w.account_id = $1) LIMIT 2",
};

static const struct sql REPLAY = {
    "webhook_ops_replay",
    "UPDATE webhook_inbox SET state = 'NEW', attempts = 0, error = '', handled_at = NULL "
    "WHERE account_id = $1 AND event_id = $2",
};

static const struct sql SKIP = {
    "webhook_ops_skip",
    "WITH skipped AS (UPDATE webhook_inbox SET state = 'IGNORED', error = 'skipped', "
    "handled_at = now() WHERE account_id = $1 AND event_id = $2 "
    "RETURNING account_id, live, object_type, object_id) "
    "DELETE FROM dirty_objects d USING skipped s, stripe_account_index a "
    "WHERE a.account_id = s.account_id AND a.live = s.live AND d.org_id = a.org_id "
    "AND d.object_type = s.object_type AND d.object_id = s.object_id "
    "AND d.quarantined_at IS NOT NULL",
};

/* Of all organisations together. */
static const struct sql TOTALS = {
    "webhook_ops_totals",
    "SELECT (SELECT count(*) FROM webhook_inbox WHERE state = 'FAILED'), "
    "(SELECT count(*) FROM dirty_objects WHERE quarantined_at IS NOT NULL), "
    "(SELECT count(*) FROM webhook_inbox WHERE state = 'PARKED')",
};

static struct webhook_row
read_row(struct ctx *cx, const struct rows *rows, size_t row, bool with_payload)
{
    return (struct webhook_row){
        .account_id = row_text(cx, rows, row, 0),
        .event_id = row_text(cx, rows, row, 1),
        .live = row_bool(rows, row, 2),
        .type = row_text(cx, rows, row, 3),
        .object_type = row_text(cx, rows, row, 4),
        .object_id = row_text(cx, rows, row, 5),
        .api_version = row_text(cx, rows, row, 6),
        .state = row_text(cx, rows, row, 7),
        .attempts = row_i64(rows, row, 8),
        .error = row_text(cx, rows, row, 9),
        .event_us = row_time(rows, row, 10),
        .received_us = row_time(rows, row, 11),
        .handled_us = row_time(rows, row, 12),
        .listed = row_bool(rows, row, 13),
        .payload = with_payload ? row_text(cx, rows, row, 14) : "",
    };
}

struct status webhook_ops_store_list(
    struct ctx *cx,
    struct db *db,
    const struct webhook_filter *filter,
    size_t max,
    struct webhook_row **ret_rows,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct webhook_row *list = NULL;

    params_text(&p, filter->account_id);
    params_text_array(cx, &p, filter->states, filter->state_count);
    params_bool(&p, filter->quarantined);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    list = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *list);
    if (list == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        list[i] = read_row(cx, rows, i, false);
    }
    *ret_rows = list;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status webhook_ops_store_find(
    struct ctx *cx,
    struct db *db,
    const char *account_id,
    const char *event_id,
    struct webhook_row *ret_row,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_text(&p, account_id);
    params_text(&p, event_id);
    TRY(db_query(cx, db, &FIND, &p, &rows));
    *ret_count = rows_count(rows);
    if (*ret_count > 0) {
        *ret_row = read_row(cx, rows, 0, true);
    }
    return STATUS_OK;
}

static struct status
change(struct ctx *cx, struct db *db, const struct sql *sql, const struct webhook_row *row)
{
    struct params p = {0};

    params_text(&p, row->account_id);
    params_text(&p, row->event_id);
    return db_execute(cx, db, sql, &p, NULL);
}

struct status webhook_ops_store_replay(struct ctx *cx, struct db *db, const struct webhook_row *row)
{
    return change(cx, db, &REPLAY, row);
}

struct status webhook_ops_store_skip(struct ctx *cx, struct db *db, const struct webhook_row *row)
{
    return change(cx, db, &SKIP, row);
}

struct status
webhook_ops_store_totals(struct ctx *cx, struct db *db, struct webhook_totals *ret_totals)
{
    AUTO_ROWS rows = NULL;

    TRY(db_query(cx, db, &TOTALS, &NO_PARAMS, &rows));
    *ret_totals = (struct webhook_totals){
        .failed_events = row_i64(rows, 0, 0),
        .quarantined_objects = row_i64(rows, 0, 1),
        .parked_events = row_i64(rows, 0, 2),
    };
    return STATUS_OK;
}
