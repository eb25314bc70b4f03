#include "store/usage_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "store/db.h"

/* Any fixed number: the key of the advisory lock that guards the current period. */
#define PERIOD_LOCK INT64_C(7305031961)
#define PERIOD_US (35 * US_PER_DAY)

static const struct sql LOCK_SHARED = {
    "usage_period_share", "SELECT pg_advisory_xact_lock_shared($1)"};

static const struct sql LOCK_EXCLUSIVE = {"usage_period_lock", "SELECT pg_advisory_xact_lock($1)"};

/* The look-back is a scalar subquery on purpose: it is always an index probe of one partition,
 * never a join that might read the partition whole. */
static const struct sql ADD = {
    "usage_add",
    "WITH input AS (SELECT * FROM unnest($2::uuid[], $3::int8[], $4::int8[], $5::int4[], "
    "$6::int8[],"
    " $7::int8[], $8::timestamptz[], $9::jsonb[])"
    " AS t(key, fingerprint, customer_no, meter_no, quantity, counted, event_at, properties)),"
    " windows AS (SELECT * FROM unnest($10::uuid[], $11::int4[], $12::timestamptz[])"
    " AS t(key, reset_period, window_at)),"
    " ins AS (INSERT INTO usage_events (org_id, customer_no, quantity, event_at, fingerprint, "
    "period,"
    " meter_no, key, properties)"
    " SELECT $1, i.customer_no, i.quantity, i.event_at, i.fingerprint,"
    " (SELECT period FROM usage_period), i.meter_no, i.key, i.properties FROM input i"
    " WHERE (SELECT true FROM usage_events e WHERE e.org_id = $1 AND e.key = i.key"
    " AND e.period = (SELECT period - 1 FROM usage_period) LIMIT 1) IS NULL"
    " ORDER BY i.key ON CONFLICT DO NOTHING RETURNING key),"
    " agg AS (SELECT i.customer_no, i.meter_no, w.reset_period, w.window_at, sum(i.counted)::int8"
    " AS added, count(*) AS events, max(i.event_at) AS last_event_at"
    " FROM ins JOIN input i USING (key) JOIN windows w USING (key) GROUP BY 1, 2, 3, 4),"
    " up AS (INSERT INTO usage_counters AS c (org_id, customer_no, meter_no, reset_period, "
    "window_at,"
    " used, events, last_event_at, updated_at)"
    " SELECT $1, customer_no, meter_no, reset_period, window_at, added, events, last_event_at,"
    " $13 FROM agg ORDER BY customer_no, meter_no, reset_period, window_at"
    " ON CONFLICT (org_id, customer_no, meter_no, reset_period, window_at) DO UPDATE"
    " SET used = c.used + excluded.used, events = c.events + excluded.events,"
    " last_event_at = greatest(c.last_event_at, excluded.last_event_at),"
    " updated_at = excluded.updated_at"
    " RETURNING customer_no, meter_no, reset_period, window_at, used)"
    " SELECT key, NULL::int8, NULL::int4, NULL::int4, NULL::timestamptz, NULL::int8, NULL::int8"
    " FROM ins UNION ALL"
    " SELECT NULL, u.customer_no, u.meter_no, u.reset_period::int4, u.window_at, u.used, a.added"
    " FROM up u JOIN agg a ON a.customer_no = u.customer_no AND a.meter_no = u.meter_no"
    " AND a.reset_period = u.reset_period AND a.window_at = u.window_at"};

static const struct sql EXISTING = {
    "usage_existing",
    "SELECT key, fingerprint FROM usage_events WHERE org_id = $1 AND key = ANY($2::uuid[])"
    " AND period IN ((SELECT period FROM usage_period), (SELECT period - 1 FROM usage_period))"};

static const struct sql READ = {
    "usage_read",
    "SELECT w.n, c.used, c.reserved, c.events, c.last_event_at FROM"
    " unnest($3::int4[], $4::int4[], $5::timestamptz[]) WITH ORDINALITY"
    " AS w(meter_no, reset_period, window_at, n)"
    " JOIN usage_counters c ON c.org_id = $1 AND c.customer_no = $2 AND c.meter_no = w.meter_no"
    " AND c.reset_period = w.reset_period AND c.window_at = w.window_at"};

static const struct sql METERS = {
    "usage_meters",
    "SELECT DISTINCT meter_no FROM usage_counters WHERE org_id = $1 AND customer_no = $2"
    " AND reset_period = 3 AND window_at = $3 ORDER BY meter_no LIMIT 1000"};

static const struct sql PERIOD = {"usage_period", "SELECT period FROM usage_period"};

static const struct sql MAKE_PARTITIONS = {
    "usage_make_partitions",
    "SELECT usage_make_partition(period), usage_make_partition(period + 1),"
    " usage_make_partition(period + 2) FROM usage_period"};

static const struct sql MOVE_PERIOD = {
    "usage_move_period",
    "UPDATE usage_period SET period = period + 1, moved_at = now() WHERE period < $1"};

/* The batch as columns. */
struct columns {
    struct id *keys;
    int64_t *fingerprints;
    int64_t *customers;
    int32_t *meters;
    int64_t *quantities;
    int64_t *counted;
    int64_t *times;
    const char **properties;
    struct id *window_keys;
    int32_t *window_resets;
    int64_t *window_times;
    size_t window_count;
};

static bool columns_init(struct ctx *cx, struct columns *c, size_t events, size_t windows)
{
    *c = (struct columns){
        .keys = arena_try_alloc(cx->arena, events * sizeof c->keys[0]),
        .fingerprints = arena_try_alloc(cx->arena, events * sizeof c->fingerprints[0]),
        .customers = arena_try_alloc(cx->arena, events * sizeof c->customers[0]),
        .meters = arena_try_alloc(cx->arena, events * sizeof c->meters[0]),
        .quantities = arena_try_alloc(cx->arena, events * sizeof c->quantities[0]),
        .counted = arena_try_alloc(cx->arena, events * sizeof c->counted[0]),
        .times = arena_try_alloc(cx->arena, events * sizeof c->times[0]),
        .properties = arena_try_alloc(cx->arena, events * sizeof c->properties[0]),
        .window_keys = arena_try_alloc(cx->arena, windows * sizeof c->window_keys[0]),
        .window_resets = arena_try_alloc(cx->arena, windows * sizeof c->window_resets[0]),
        .window_times = arena_try_alloc(cx->arena, windows * sizeof c->window_times[0]),
    };
    return !arena_failed(cx->arena);
}

static void columns_fill(struct columns *c, const struct usage_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        c->keys[i] = events[i].key;
        c->fingerprints[i] = events[i].fingerprint;
        c->customers[i] = events[i].customer_no;
        c->meters[i] = events[i].meter_no;
        c->quantities[i] = events[i].quantity;
        c->counted[i] = events[i].counted;
        c->times[i] = events[i].event_us;
        c->properties[i] = events[i].properties;
        for (size_t w = 0; w < events[i].window_count; w++) {
            c->window_keys[c->window_count] = events[i].key;
            c->window_resets[c->window_count] = (int32_t)events[i].windows[w].reset;
            c->window_times[c->window_count++] = events[i].windows[w].start_us;
        }
    }
}

/* events are sorted by key. */
static size_t index_of(const struct usage_event *events, size_t count, const struct id *key)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (memcmp(events[middle].key.bytes, key->bytes, sizeof key->bytes) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void read_added(
    const struct rows *rows,
    const struct usage_event *events,
    size_t count,
    enum usage_outcome *outcomes,
    struct usage_counted *counted,
    size_t *ret_counted_count)
{
    *ret_counted_count = 0;
    for (size_t i = 0; i < rows_count(rows); i++) {
        if (!row_is_null(rows, i, 0)) {
            const struct id key = row_id(rows, i, 0);

            outcomes[index_of(events, count, &key)] = USAGE_RECORDED;
            continue;
        }
        counted[(*ret_counted_count)++] = (struct usage_counted){
            .customer_no = row_i64(rows, i, 1),
            .meter_no = (int32_t)row_i64(rows, i, 2),
            .reset = (enum reset_period)row_i64(rows, i, 3),
            .window_us = row_time(rows, i, 4),
            .used = row_i64(rows, i, 5),
            .added = row_i64(rows, i, 6),
        };
    }
}

/* What was there before: the same content is a duplicate, other content a reused key. */
static struct status read_existing(
    struct ctx *cx,
    struct tx *tx,
    const struct usage_event *events,
    size_t count,
    enum usage_outcome *outcomes)
{
    struct id *keys = arena_try_alloc(cx->arena, count * sizeof *keys);
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    size_t missing = 0;

    if (keys == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i] != USAGE_RECORDED) {
            keys[missing++] = events[i].key;
        }
    }
    if (missing == 0) {
        return STATUS_OK;
    }
    params_i64(&p, cx->caller.org_id);
    params_id_array(cx, &p, keys, missing);
    TRY(tx_query(cx, tx, &EXISTING, &p, &rows));
    for (size_t i = 0; i < rows_count(rows); i++) {
        const struct id key = row_id(rows, i, 0);
        const size_t at = index_of(events, count, &key);

        outcomes[at] =
            row_i64(rows, i, 1) == events[at].fingerprint ? USAGE_DUPLICATE : USAGE_KEY_REUSED;
    }
    return STATUS_OK;
}

static void add_params(struct ctx *cx, struct params *p, const struct columns *c, size_t count)
{
    params_i64(p, cx->caller.org_id);
    params_id_array(cx, p, c->keys, count);
    params_i64_array(cx, p, c->fingerprints, count);
    params_i64_array(cx, p, c->customers, count);
    params_i32_array(cx, p, c->meters, count);
    params_i64_array(cx, p, c->quantities, count);
    params_i64_array(cx, p, c->counted, count);
    params_time_array(cx, p, c->times, count);
    params_json_array(cx, p, c->properties, count);
    params_id_array(cx, p, c->window_keys, c->window_count);
    params_i32_array(cx, p, c->window_resets, c->window_count);
    params_time_array(cx, p, c->window_times, c->window_count);
    params_time(p, cx->now_us);
}

struct status usage_store_add(
    struct ctx *cx,
    struct tx *tx,
    const struct usage_event *events,
    size_t count,
    enum usage_outcome *ret_outcomes,
    struct usage_counted **ret_counted,
    size_t *ret_counted_count)
{
    struct params lock = {0};
    struct params p = {0};
    struct columns columns;
    AUTO_ROWS rows = NULL;

    if (!columns_init(cx, &columns, count, count * USAGE_WINDOWS_MAX)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    columns_fill(&columns, events, count);
    params_i64(&lock, PERIOD_LOCK);
    TRY(tx_queue_execute(cx, tx, &LOCK_SHARED, &lock)); /* rides with the next statement */
    add_params(cx, &p, &columns, count);
    TRY(tx_query(cx, tx, &ADD, &p, &rows));
    *ret_counted = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof **ret_counted);
    if (*ret_counted == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        ret_outcomes[i] = USAGE_DUPLICATE;
    }
    read_added(rows, events, count, ret_outcomes, *ret_counted, ret_counted_count);
    return read_existing(cx, tx, events, count, ret_outcomes);
}

struct status usage_store_read(
    struct ctx *cx,
    struct db *db,
    int64_t customer_no,
    struct usage_counter *counters,
    size_t count)
{
    int32_t *meters = arena_try_alloc(cx->arena, (count + 1) * sizeof *meters);
    int32_t *resets = arena_try_alloc(cx->arena, (count + 1) * sizeof *resets);
    int64_t *times = arena_try_alloc(cx->arena, (count + 1) * sizeof *times);
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    if (meters == NULL || resets == NULL || times == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        meters[i] = counters[i].meter_no;
        resets[i] = (int32_t)counters[i].reset;
        times[i] = counters[i].window_us;
    }
    params_i64(&p, cx->caller.org_id);
    params_i64(&p, customer_no);
    params_i32_array(cx, &p, meters, count);
    params_i32_array(cx, &p, resets, count);
    params_time_array(cx, &p, times, count);
    TRY(db_query(cx, db, &READ, &p, &rows));
    for (size_t i = 0; i < rows_count(rows); i++) {
        struct usage_counter *counter = &counters[row_i64(rows, i, 0) - 1];

        counter->used = row_i64(rows, i, 1);
        counter->reserved = row_i64(rows, i, 2);
        counter->events = row_i64(rows, i, 3);
        counter->last_event_us = row_time(rows, i, 4);
    }
    return STATUS_OK;
}

struct status usage_store_meters(
    struct ctx *cx,
    struct db *db,
    int64_t customer_no,
    int64_t window_us,
    int32_t **ret_meters,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_i64(&p, customer_no);
    params_time(&p, window_us);
    TRY(db_query(cx, db, &METERS, &p, &rows));
    *ret_meters = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof **ret_meters);
    if (*ret_meters == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        (*ret_meters)[i] = (int32_t)row_i64(rows, i, 0);
    }
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

static struct status move_period(struct ctx *cx, struct tx *tx, void *user)
{
    size_t *moved = user;
    struct params lock = {0};
    struct params p = {0};
    int64_t updated = 0;

    params_i64(&lock, PERIOD_LOCK);
    TRY(tx_execute(cx, tx, &LOCK_EXCLUSIVE, &lock, NULL));
    params_i32(&p, (int32_t)(cx->now_us / PERIOD_US));
    TRY(tx_execute(cx, tx, &MOVE_PERIOD, &p, &updated));
    *moved = (size_t)updated;
    return STATUS_OK;
}

struct status usage_store_roll(struct ctx *cx, struct db *db, size_t *ret_moved)
{
    AUTO_ROWS rows = NULL;

    *ret_moved = 0;
    TRY(db_execute(cx, db, &MAKE_PARTITIONS, &NO_PARAMS, NULL));
    TRY(db_query(cx, db, &PERIOD, &NO_PARAMS, &rows));
    if (row_i64(rows, 0, 0) >= cx->now_us / PERIOD_US) {
        return STATUS_OK;
    }
    return tx_run(cx, db, move_period, ret_moved);
}
