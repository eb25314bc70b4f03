#include "store/event_log.h"

#include <assert.h>

#include "base/ctx.h"
#include "store/db.h"
#include "store/event_log_internal.h"

/* The heads are taken in the order of org_id, whatever the order of the entries: two transactions
 * that append to the same organisations never wait for each other in a circle. Part "added" runs
 * although nobody reads it. */
static const struct sql append = {
    "event_log_append",
    "WITH entry AS ("
    " SELECT *, row_number() OVER (PARTITION BY org_id ORDER BY position) AS number"
    " FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::jsonb[],"
    "             $7::timestamptz[], $8::text[])"
    " WITH ORDINALITY AS u (org_id, event_id, type, customer_id, subscription_id, payload,"
    "                       created_at, request_id, position)"
    "), total AS ("
    " SELECT org_id, count(*) AS count FROM entry GROUP BY org_id ORDER BY org_id"
    "), head AS ("
    " INSERT INTO event_heads AS h (org_id, seq) SELECT org_id, count FROM total ORDER BY org_id"
    " ON CONFLICT (org_id) DO UPDATE SET seq = h.seq + excluded.seq RETURNING org_id, seq"
    "), added AS ("
    " INSERT INTO event_log"
    "  (org_id, seq, event_id, type, customer_id, subscription_id, payload, created_at,"
    "   request_id)"
    " SELECT org_id, head.seq - total.count + entry.number, event_id, type, customer_id,"
    "        subscription_id, payload, created_at, request_id"
    " FROM entry JOIN head USING (org_id) JOIN total USING (org_id)"
    ") SELECT pg_notify('" EVENT_LOG_CHANNEL "', '')",
};

static const struct sql read_after = {
    "event_log_read",
    "SELECT " EVENT_LOG_COLUMNS " FROM event_log e"
    " WHERE e.org_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3",
};

static const struct sql read_range = {
    "event_log_floor",
    "SELECT (SELECT seq FROM event_log WHERE org_id = $1 ORDER BY seq LIMIT 1),"
    " (SELECT seq FROM event_heads WHERE org_id = $1)",
};

/* The entries, column by column. */
struct columns {
    int64_t *org_ids;
    struct id *event_ids;
    const char **types;
    struct id *customer_ids;
    struct id *subscription_ids;
    const char **payloads;
    int64_t *created_us;
    const char **request_ids;
};

static bool columns_init(struct ctx *cx, size_t count, struct columns *ret_columns)
{
    *ret_columns = (struct columns){
        .org_ids = arena_try_alloc(cx->arena, count * sizeof(int64_t)),
        .event_ids = arena_try_alloc(cx->arena, count * sizeof(struct id)),
        .types = arena_try_alloc(cx->arena, count * sizeof(const char *)),
        .customer_ids = arena_try_alloc(cx->arena, count * sizeof(struct id)),
        .subscription_ids = arena_try_alloc(cx->arena, count * sizeof(struct id)),
        .payloads = arena_try_alloc(cx->arena, count * sizeof(const char *)),
        .created_us = arena_try_alloc(cx->arena, count * sizeof(int64_t)),
        .request_ids = arena_try_alloc(cx->arena, count * sizeof(const char *)),
    };
    return !arena_failed(cx->arena);
}

static void
columns_fill(struct columns *columns, const struct event_log_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        columns->org_ids[i] = entries[i].org_id;
        columns->event_ids[i] = entries[i].event_id;
        columns->types[i] = entries[i].type;
        columns->customer_ids[i] = entries[i].customer_id;
        columns->subscription_ids[i] = entries[i].subscription_id;
        columns->payloads[i] = entries[i].payload;
        columns->created_us[i] = entries[i].created_us;
        columns->request_ids[i] = entries[i].request_id == NULL ? "" : entries[i].request_id;
    }
}

struct status
event_log_append(struct ctx *cx, struct tx *tx, const struct event_log_entry *entries, size_t count)
{
    struct params params = {.count = 0};
    struct columns columns;

    assert(count <= EVENT_LOG_APPEND_MAX);
    if (count == 0) {
        return STATUS_OK;
    }
    if (!columns_init(cx, count, &columns)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    columns_fill(&columns, entries, count);
    params_i64_array(cx, &params, columns.org_ids, count);
    params_id_array(cx, &params, columns.event_ids, count);
    params_text_array(cx, &params, columns.types, count);
    params_id_array(cx, &params, columns.customer_ids, count);
    params_id_array(cx, &params, columns.subscription_ids, count);
    params_json_array(cx, &params, columns.payloads, count);
    params_time_array(cx, &params, columns.created_us, count);
    params_text_array(cx, &params, columns.request_ids, count);
    return tx_queue_execute(cx, tx, &append, &params);
}

struct event_log_entry
event_log_read_entry(struct ctx *cx, const struct rows *rows, size_t row, int first_column)
{
    return (struct event_log_entry){
        .org_id = row_i64(rows, row, first_column),
        .seq = row_i64(rows, row, first_column + 1),
        .event_id = row_id(rows, row, first_column + 2),
        .type = row_text(cx, rows, row, first_column + 3),
        .customer_id = row_id(rows, row, first_column + 4),
        .subscription_id = row_id(rows, row, first_column + 5),
        .payload = row_text(cx, rows, row, first_column + 6),
        .created_us = row_time(rows, row, first_column + 7),
        .request_id = row_text(cx, rows, row, first_column + 8),
    };
}

struct status event_log_read(
    struct ctx *cx,
    struct db *db,
    int64_t org_id,
    int64_t after_seq,
    size_t max,
    struct event_log_page *ret_page)
{
    AUTO_ROWS rows = NULL;
    struct params params = {.count = 0};
    struct event_log_entry *entries = NULL;
    size_t count = 0;

    params_i64(&params, org_id);
    params_i64(&params, after_seq);
    params_i64(&params, (int64_t)max);
    TRY(db_query(cx, db, &read_after, &params, &rows));
    count = rows_count(rows);
    entries = arena_try_alloc(cx->arena, count * sizeof entries[0]);
    for (size_t i = 0; entries != NULL && i < count; i++) {
        entries[i] = event_log_read_entry(cx, rows, i, 0);
    }
    if (arena_failed(cx->arena)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    *ret_page = (struct event_log_page){entries, count};
    return STATUS_OK;
}

struct status
event_log_floor(struct ctx *cx, struct db *db, int64_t org_id, struct event_log_range *ret_range)
{
    AUTO_ROWS rows = NULL;
    struct params params = {.count = 0};
    int64_t head_seq = 0;

    params_i64(&params, org_id);
    TRY(db_query(cx, db, &read_range, &params, &rows));
    head_seq = row_i64(rows, 0, 1);
    *ret_range = (struct event_log_range){
        .floor_seq = row_is_null(rows, 0, 0) ? head_seq + 1 : row_i64(rows, 0, 0),
        .head_seq = head_seq,
    };
    return STATUS_OK;
}
