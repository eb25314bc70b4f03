#include "store/coupon_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"
#include "store/read_query.h"

#define SELECT                                                                                   \
    "SELECT coupon_id, key, name, percent_off_bps, amount_off_minor, currency::text, duration, " \
    "duration_months, redemptions_max, redemptions, expires_at, plan_keys, metadata, version, "  \
    "created_at, updated_at, archived_at FROM coupons "
#define SEEN "AND stripe_coupon_id IS NOT NULL "

static const struct sql INSERT = {
    "coupon_insert",
    "INSERT INTO coupons (org_id, coupon_id, key, name, percent_off_bps, amount_off_minor, "
    "currency, duration, duration_months, redemptions_max, expires_at, plan_keys, metadata, "
    "created_at, updated_at) VALUES ($1, $2, $3, $4, nullif($5, 0), nullif($6, 0), "
    "nullif($7, ''), $8, nullif($9, 0), nullif($10, 0), $11, $12, $13, $14, $14) "
    "ON CONFLICT (org_id, key) DO NOTHING",
};

static const struct sql SHOW = {
    "coupon_show",
    "UPDATE coupons SET stripe_coupon_id = $3 WHERE org_id = $1 AND coupon_id = $2",
};

static const struct sql DROP = {
    "coupon_drop",
    "DELETE FROM coupons WHERE org_id = $1 AND coupon_id = $2 AND stripe_coupon_id IS NULL",
};

static const struct sql LOAD = {
    "coupon_get",
    SELECT "WHERE org_id = $1 AND coupon_id = $2 " SEEN,
};

static const struct sql LOAD_KEY = {
    "coupon_get_key",
    SELECT "WHERE org_id = $1 AND key = $2 " SEEN,
};

static const struct sql LOCK = {
    "coupon_lock",
    SELECT "WHERE org_id = $1 AND coupon_id = $2 " SEEN "FOR UPDATE",
};

static const struct sql LIST = {
    "coupon_list",
    SELECT "WHERE org_id = $1 " SEEN "AND ($2 = 0 OR (archived_at IS NULL) = ($2 = 1)) "
           "AND ($4::uuid IS NULL OR (created_at, coupon_id) < ($3, $4)) "
           "ORDER BY created_at DESC, coupon_id DESC LIMIT $5",
};

static const struct sql UPDATE = {
    "coupon_update",
    "UPDATE coupons SET name = $3, metadata = $4, version = $5, updated_at = $6, archived_at = $7 "
    "WHERE org_id = $1 AND coupon_id = $2",
};

static const struct sql MIRROR = {
    "coupon_mirror",
    "UPDATE coupons SET redemptions = CASE WHEN $4 THEN redemptions ELSE $3 END, "
    "archived_at = CASE WHEN $4 THEN coalesce(archived_at, now()) ELSE archived_at END, "
    "version = version + CASE WHEN $4 AND archived_at IS NULL THEN 1 ELSE 0 END, "
    "fetch_number = $5 WHERE org_id = $1 AND stripe_coupon_id = $2 AND fetch_number < $5",
};

static const struct sql UNKNOWN_PLAN = {
    "coupon_unknown_plan",
    "SELECT n.key FROM unnest($2::text[]) AS n (key) WHERE NOT EXISTS "
    "(SELECT FROM plans p WHERE p.org_id = $1 AND p.key = n.key) LIMIT 1",
};

static struct coupon read_coupon(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct coupon coupon = {
        .coupon_id = row_id(rows, row, 0),
        .key = row_text(cx, rows, row, 1),
        .name = row_text(cx, rows, row, 2),
        .percent_off_bps = (int32_t)row_i64(rows, row, 3),
        .amount_off_minor = row_i64(rows, row, 4),
        .currency = row_text(cx, rows, row, 5),
        .duration = COUPON_ONCE,
        .months = (int32_t)row_i64(rows, row, 7),
        .redemptions_max = row_i64(rows, row, 8),
        .redemptions = row_i64(rows, row, 9),
        .redeem_by_us = row_time(rows, row, 10),
        .metadata = row_text(cx, rows, row, 12),
        .version = row_i64(rows, row, 13),
        .created_us = row_time(rows, row, 14),
        .updated_us = row_time(rows, row, 15),
        .archived_us = row_time(rows, row, 16),
    };

    coupon_duration_parse(row_text(cx, rows, row, 6), &coupon.duration);
    coupon.plan_count = row_text_array(cx, rows, row, 11, &coupon.plan_keys);
    return coupon;
}

struct status coupon_store_insert(struct ctx *cx, struct tx *tx, const struct coupon *coupon)
{
    struct params p = {0};
    int64_t inserted = 0;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &coupon->coupon_id);
    params_text(&p, coupon->key);
    params_text(&p, coupon->name);
    params_i32(&p, coupon->percent_off_bps);
    params_i64(&p, coupon->amount_off_minor);
    params_text(&p, coupon->currency);
    params_text(&p, coupon_duration_name(coupon->duration));
    params_i32(&p, coupon->months);
    params_i64(&p, coupon->redemptions_max);
    params_time_or_null(&p, coupon->redeem_by_us);
    params_text_array(cx, &p, coupon->plan_keys, coupon->plan_count);
    params_json(&p, coupon->metadata);
    params_time(&p, coupon->created_us);
    TRY(tx_execute(cx, tx, &INSERT, &p, &inserted));
    return inserted == 1 ? STATUS_OK
                         : status_pair(
                               cx,
                               status_fail(
                                   cx,
                                   REASON_COUPON_EXISTS,
                                   "a coupon with the key \"%s\" exists already",
                                   coupon->key),
                               "coupon_key",
                               coupon->key);
}

struct status coupon_store_show(struct ctx *cx, struct tx *tx, const struct id *coupon_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, coupon_id);
    params_text(&p, id_text(cx->arena, ID_COUPON, coupon_id));
    return tx_execute(cx, tx, &SHOW, &p, NULL);
}

struct status coupon_store_drop(struct ctx *cx, struct tx *tx, const struct id *coupon_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, coupon_id);
    return tx_execute(cx, tx, &DROP, &p, NULL);
}

static struct status find(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct sql *sql,
    const struct coupon_key *key,
    struct coupon *ret_coupon)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};
    const char *text = key->key;

    params_i64(&p, cx->caller.org_id);
    if (key->coupon_id != NULL) {
        text = id_text(cx->arena, ID_COUPON, key->coupon_id);
        params_id(&p, key->coupon_id);
    } else {
        params_text(&p, key->key);
    }
    TRY(read_query(cx, db, tx, sql, &p, &rows));
    if (rows_count(rows) == 1) {
        *ret_coupon = read_coupon(cx, rows, 0);
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_fail(cx, REASON_COUPON_NOT_FOUND, "coupon \"%s\" does not exist", text),
        key->coupon_id == NULL ? "coupon_key" : "coupon_id",
        text);
}

struct status coupon_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct coupon_key *key,
    struct coupon *ret_coupon)
{
    return find(cx, db, tx, key->coupon_id == NULL ? &LOAD_KEY : &LOAD, key, ret_coupon);
}

struct status coupon_store_lock(
    struct ctx *cx, struct tx *tx, const struct id *coupon_id, struct coupon *ret_coupon)
{
    const struct coupon_key key = {.coupon_id = coupon_id};

    return find(cx, NULL, tx, &LOCK, &key, ret_coupon);
}

struct status coupon_store_list(
    struct ctx *cx,
    struct db *db,
    enum catalog_state state,
    const struct coupon_position *before,
    int32_t max,
    struct coupon **ret_coupons,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};
    struct coupon *coupons = NULL;

    params_i64(&p, cx->caller.org_id);
    params_i32(&p, (int32_t)state);
    params_time(&p, before->created_us);
    params_id(&p, &before->coupon_id);
    params_i64(&p, max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    coupons = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *coupons);
    if (coupons == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        coupons[i] = read_coupon(cx, rows, i);
    }
    *ret_coupons = coupons;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status coupon_store_update(struct ctx *cx, struct tx *tx, const struct coupon *coupon)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &coupon->coupon_id);
    params_text(&p, coupon->name);
    params_json(&p, coupon->metadata);
    params_i64(&p, coupon->version);
    params_time(&p, coupon->updated_us);
    params_time_or_null(&p, coupon->archived_us);
    return tx_execute(cx, tx, &UPDATE, &p, NULL);
}

struct status coupon_store_mirror(
    struct ctx *cx,
    struct tx *tx,
    const char *stripe_coupon_id,
    int64_t redemptions,
    bool deleted,
    int64_t fetch_number)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text(&p, stripe_coupon_id);
    params_i64(&p, redemptions);
    params_bool(&p, deleted);
    params_i64(&p, fetch_number);
    return tx_execute(cx, tx, &MIRROR, &p, NULL);
}

struct status coupon_store_unknown_plan(
    struct ctx *cx, struct tx *tx, const char *const *plan_keys, size_t count, const char **ret_key)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text_array(cx, &p, plan_keys, count);
    TRY(tx_query(cx, tx, &UNKNOWN_PLAN, &p, &rows));
    *ret_key = rows_count(rows) == 0 ? "" : row_text(cx, rows, 0, 0);
    return STATUS_OK;
}
