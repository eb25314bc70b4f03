#include "store/event_tail.h"

#include <stdbool.h>
#include <string.h>

#include "base/ctx.h"
#include "base/heap.h"
#include "store/db.h"
#include "store/event_log_internal.h"
#include "store/pg_types_internal.h"

#define KEYS_MAX 20000 /* found by one look: 320 kB */

/* Up to where one organisation was delivered, while entries of it may be read again. */
struct mark {
    int64_t org_id;
    int64_t seq;
    uint64_t xid; /* the newest transaction among its delivered entries */
};

struct event_tail {
    bool started;
    uint64_t xmin;      /* entries of older transactions were all delivered */
    struct mark *marks; /* sorted by org_id */
    size_t mark_count;
    size_t mark_capacity;
    /* What the last look found, in the order of delivery; delivered up to key_at. */
    size_t key_count;
    size_t key_at;
    uint64_t keys_xmin; /* of the snapshot that found them */
    int64_t key_org_ids[KEYS_MAX];
    int64_t key_seqs[KEYS_MAX];
};

/* Entries that the first snapshot sees, but a later reading would find again. */
static const struct sql start = {
    "event_tail_start",
    "SELECT pg_snapshot_xmin(pg_current_snapshot()), old.org_id, old.seq, old.xid"
    " FROM (SELECT 1) AS always LEFT JOIN ("
    "  SELECT org_id, max(seq) AS seq, max(xid::text::bigint) AS xid FROM event_log"
    "  WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()) GROUP BY org_id"
    " ) AS old ON true ORDER BY old.org_id",
};

/* The keys alone, found by the index on xid. One look reads everything since xmin, so it is done
 * for many pages at once. The organisations take turns: a flood of one does not hold up the others.
 * There is always a row, for the xmin of the snapshot. */
static const struct sql find_keys = {
    "event_tail_find",
    "WITH fresh AS MATERIALIZED ("
    " SELECT e.org_id, e.seq FROM event_log e"
    " LEFT JOIN unnest($2::bigint[], $3::bigint[]) AS mark (org_id, seq) ON mark.org_id = e.org_id"
    " WHERE e.xid >= $1 AND e.seq > coalesce(mark.seq, 0)"
    "), key AS ("
    " SELECT org_id, seq, (row_number() OVER (PARTITION BY org_id ORDER BY seq) - 1) / 100 AS turn"
    " FROM fresh ORDER BY turn, org_id, seq LIMIT $4"
    ") SELECT pg_snapshot_xmin(pg_current_snapshot()), key.org_id, key.seq"
    " FROM (SELECT 1) AS always LEFT JOIN key ON true ORDER BY key.turn, key.org_id, key.seq",
};

/* OFFSET 0 keeps the planner from a walk through the whole log in key order. */
static const struct sql read_entries = {
    "event_tail_read",
    "SELECT e.* FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS key (org_id, seq, place)"
    " CROSS JOIN LATERAL ("
    "  SELECT e.xid, " EVENT_LOG_COLUMNS " FROM event_log e"
    "  WHERE e.org_id = key.org_id AND e.seq = key.seq OFFSET 0) AS e"
    " ORDER BY key.place",
};

struct event_tail *event_tail_new(void)
{
    return heap_new(sizeof(struct event_tail));
}

void event_tail_free(struct event_tail *tail)
{
    if (tail == NULL) {
        return;
    }
    heap_free(tail->marks);
    heap_free(tail);
}

static bool reserve_marks(struct event_tail *tail, size_t more)
{
    const size_t needed = tail->mark_count + more;
    size_t capacity = tail->mark_capacity == 0 ? 64 : tail->mark_capacity;
    struct mark *marks = NULL;

    if (needed <= tail->mark_capacity) {
        return true;
    }
    while (capacity < needed) {
        capacity *= 2;
    }
    marks = heap_grow(tail->marks, capacity * sizeof marks[0]);
    if (marks == NULL) {
        return false;
    }
    tail->marks = marks;
    tail->mark_capacity = capacity;
    return true;
}

/* Where org_id stands, or would stand. */
static size_t mark_position(const struct event_tail *tail, int64_t org_id)
{
    size_t low = 0;
    size_t high = tail->mark_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (tail->marks[middle].org_id < org_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* There is room: reserve_marks() came first. */
static void mark_delivered(struct event_tail *tail, int64_t org_id, int64_t seq, uint64_t xid)
{
    const size_t position = mark_position(tail, org_id);
    struct mark *mark = &tail->marks[position];

    if (position == tail->mark_count || mark->org_id != org_id) {
        memmove(mark + 1, mark, (tail->mark_count - position) * sizeof *mark);
        tail->mark_count++;
        *mark = (struct mark){org_id, seq, xid};
        return;
    }
    mark->seq = seq;
    mark->xid = xid > mark->xid ? xid : mark->xid;
}

/* Organisations whose delivered entries are all older than xmin are not read again. */
static void forget_marks(struct event_tail *tail, uint64_t xmin)
{
    size_t kept = 0;

    for (size_t i = 0; i < tail->mark_count; i++) {
        if (tail->marks[i].xid >= xmin) {
            tail->marks[kept++] = tail->marks[i];
        }
    }
    tail->mark_count = kept;
}

static struct status no_room(struct ctx *cx)
{
    return status_fail(
        cx, REASON_REQUEST_TOO_COSTLY, "too many organisations changed during one transaction");
}

struct status event_tail_start(struct ctx *cx, struct db *db, struct event_tail *tail)
{
    AUTO_ROWS rows = NULL;
    size_t count = 0;

    TRY(db_query(cx, db, &start, &NO_PARAMS, &rows));
    count = row_is_null(rows, 0, 1) ? 0 : rows_count(rows);
    tail->mark_count = 0;
    if (count > EVENT_TAIL_ORGS_MAX || !reserve_marks(tail, count)) {
        return no_room(cx);
    }
    for (size_t i = 0; i < count; i++) {
        mark_delivered(
            tail, row_i64(rows, i, 1), row_i64(rows, i, 2), (uint64_t)row_i64(rows, i, 3));
    }
    tail->xmin = (uint64_t)row_i64(rows, 0, 0);
    tail->key_count = 0;
    tail->key_at = 0;
    tail->started = true;
    return STATUS_OK;
}

/* Looks for what has not been delivered. */
static struct status find(struct ctx *cx, struct db *db, struct event_tail *tail)
{
    int64_t *org_ids = arena_try_alloc(cx->arena, tail->mark_count * sizeof org_ids[0]);
    int64_t *seqs = arena_try_alloc(cx->arena, tail->mark_count * sizeof seqs[0]);
    struct params params = {.count = 0};
    AUTO_ROWS rows = NULL;

    if (org_ids == NULL || seqs == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < tail->mark_count; i++) {
        org_ids[i] = tail->marks[i].org_id;
        seqs[i] = tail->marks[i].seq;
    }
    params_xid8(&params, tail->xmin);
    params_i64_array(cx, &params, org_ids, tail->mark_count);
    params_i64_array(cx, &params, seqs, tail->mark_count);
    params_i64(&params, KEYS_MAX);
    TRY(db_query(cx, db, &find_keys, &params, &rows));
    tail->keys_xmin = (uint64_t)row_i64(rows, 0, 0);
    if (tail->keys_xmin < tail->xmin) {
        tail->started = false; /* the history of another server: it has fewer transactions */
        return status_of(cx, REASON_DATABASE_UNAVAILABLE);
    }
    tail->key_at = 0;
    tail->key_count = row_is_null(rows, 0, 1) ? 0 : rows_count(rows);
    for (size_t i = 0; i < tail->key_count; i++) {
        tail->key_org_ids[i] = row_i64(rows, i, 1);
        tail->key_seqs[i] = row_i64(rows, i, 2);
    }
    return STATUS_OK;
}

/* Everything that the look found was delivered. */
static void finish_keys(struct event_tail *tail)
{
    if (tail->key_at == tail->key_count && tail->key_count < KEYS_MAX) {
        tail->xmin = tail->keys_xmin;
        forget_marks(tail, tail->xmin);
    }
}

/* The entries of the next keys. An entry that retention deleted meanwhile is not among them. */
static struct status read_page(
    struct ctx *cx,
    struct db *db,
    struct event_tail *tail,
    size_t max,
    struct event_log_page *ret_page)
{
    const size_t left = tail->key_count - tail->key_at;
    const size_t wanted = left < max ? left : max;
    struct params params = {.count = 0};
    AUTO_ROWS rows = NULL;
    struct event_log_entry *entries = NULL;
    size_t count = 0;

    params_i64_array(cx, &params, tail->key_org_ids + tail->key_at, wanted);
    params_i64_array(cx, &params, tail->key_seqs + tail->key_at, wanted);
    TRY(db_query(cx, db, &read_entries, &params, &rows));
    count = rows_count(rows);
    entries = arena_try_alloc(cx->arena, count * sizeof entries[0]);
    for (size_t i = 0; entries != NULL && i < count; i++) {
        entries[i] = event_log_read_entry(cx, rows, i, 1);
    }
    if (entries == NULL || arena_failed(cx->arena)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    if (tail->mark_count + count > EVENT_TAIL_ORGS_MAX || !reserve_marks(tail, count)) {
        return no_room(cx);
    }
    for (size_t i = 0; i < count; i++) {
        mark_delivered(tail, entries[i].org_id, entries[i].seq, (uint64_t)row_i64(rows, i, 0));
    }
    tail->key_at += wanted;
    *ret_page = (struct event_log_page){entries, count};
    return STATUS_OK;
}

/* One page, after a look when there is nothing left of the last one. */
static struct status find_and_read(
    struct ctx *cx,
    struct db *db,
    struct event_tail *tail,
    size_t max,
    struct event_log_page *ret_page)
{
    if (tail->key_at == tail->key_count) {
        TRY(find(cx, db, tail));
    }
    if (tail->key_count > 0) {
        TRY(read_page(cx, db, tail, max, ret_page));
    }
    finish_keys(tail);
    return STATUS_OK;
}

struct status event_tail_read(
    struct ctx *cx,
    struct db *db,
    struct event_tail *tail,
    size_t max,
    struct event_log_page *ret_page)
{
    *ret_page = (struct event_log_page){NULL, 0};
    if (!tail->started) {
        TRY(event_tail_start(cx, db, tail));
    }
    do {
        TRY(find_and_read(cx, db, tail, max, ret_page));
    } while (ret_page->count == 0 && tail->key_count > 0);
    return STATUS_OK;
}
