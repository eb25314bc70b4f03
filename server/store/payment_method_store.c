#include "store/payment_method_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

#define COLUMNS                                                                                   \
    "m.stripe_payment_method_id, m.customer_id, m.kind, m.brand, m.last4, m.expiry_month, "       \
    "m.expiry_year, c.default_payment_method = m.stripe_payment_method_id, m.detached_at IS NOT " \
    "NULL, m.created_at "
#define TABLES                \
    "FROM payment_methods m " \
    "JOIN customers c ON c.org_id = m.org_id AND c.customer_id = m.customer_id "

static const struct sql LIST = {
    "payment_method_list",
    "SELECT " COLUMNS TABLES "WHERE m.org_id = $1 AND m.customer_id = $2 "
    "AND m.detached_at IS NULL ORDER BY c.default_payment_method = m.stripe_payment_method_id "
    "DESC, "
    "m.created_at DESC, m.stripe_payment_method_id DESC LIMIT $3",
};

static const struct sql LOCK = {
    "payment_method_lock",
    "SELECT " COLUMNS TABLES
    "WHERE m.org_id = $1 AND m.stripe_payment_method_id = $2 FOR UPDATE OF m",
};

static const struct sql WRITE = {
    "payment_method_write",
    "INSERT INTO payment_methods AS m (org_id, stripe_payment_method_id, customer_id, kind, brand, "
    "last4, expiry_month, expiry_year, fetch_number, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, nullif($7, 0), nullif($8, 0), $9, $10) "
    "ON CONFLICT (org_id, stripe_payment_method_id) DO UPDATE SET "
    "customer_id = excluded.customer_id, kind = excluded.kind, brand = excluded.brand, "
    "last4 = excluded.last4, expiry_month = excluded.expiry_month, "
    "expiry_year = excluded.expiry_year, fetch_number = excluded.fetch_number, "
    "detached_at = NULL, updated_at = now() WHERE m.fetch_number < excluded.fetch_number "
    "RETURNING xmax = 0", /* whether it is a new row */
};

static const struct sql DETACH = {
    "payment_method_detach",
    "UPDATE payment_methods SET detached_at = coalesce(detached_at, now()), fetch_number = $3, "
    "updated_at = now() WHERE org_id = $1 AND stripe_payment_method_id = $2 AND fetch_number < $3",
};

static const struct sql DETACH_ALL = {
    "payment_method_detach_all",
    "UPDATE payment_methods SET detached_at = now(), fetch_number = greatest(fetch_number, $3), "
    "updated_at = now() WHERE org_id = $1 AND customer_id = $2 AND detached_at IS NULL",
};

static const struct sql IN_USE = {
    "payment_method_in_use",
    "SELECT s.subscription_id FROM subscriptions s "
    "JOIN customers c ON c.org_id = s.org_id AND c.customer_id = s.customer_id "
    "WHERE s.org_id = $1 AND s.customer_id = $2 "
    "AND s.status NOT IN ('FAILED', 'INCOMPLETE_EXPIRED', 'CANCELED') "
    "AND s.collection_method = 'AUTOMATIC' "
    "AND coalesce(s.raw ->> 'default_payment_method', c.default_payment_method) = $3 "
    "ORDER BY s.created_at, s.subscription_id LIMIT 1",
};

#define THIS_MONTH                                          \
    "(extract(year FROM now() AT TIME ZONE 'UTC') * 100 + " \
    "extract(month FROM now() AT TIME ZONE 'UTC'))::int"

/* Over all organisations. */
static const struct sql EXPIRING = {
    "payment_method_expiring",
    "SELECT " COLUMNS ", m.org_id " TABLES "WHERE m.detached_at IS NULL "
    "AND m.expiry_year BETWEEN " THIS_MONTH " / 100 AND " THIS_MONTH " / 100 + 1 "
    "AND m.expiry_told < " THIS_MONTH " "
    "AND m.expiry_year * 12 + m.expiry_month - (" THIS_MONTH " / 100 * 12 + " THIS_MONTH " % 100) "
    "BETWEEN 0 AND 1 ORDER BY m.expiry_year, m.expiry_month LIMIT $1",
};

static const struct sql TELL_EXPIRY = {
    "payment_method_tell_expiry",
    "UPDATE payment_methods SET expiry_told = " THIS_MONTH " WHERE org_id = $1 "
    "AND stripe_payment_method_id = $2 AND expiry_told < " THIS_MONTH,
};

static struct payment_method read_method(struct ctx *cx, const struct rows *rows, size_t row)
{
    return (struct payment_method){
        .payment_method_id = row_text(cx, rows, row, 0),
        .customer_id = row_id(rows, row, 1),
        .kind = payment_method_kind_parse(row_text(cx, rows, row, 2)),
        .brand = row_text(cx, rows, row, 3),
        .last4 = row_text(cx, rows, row, 4),
        .expire_month = (int32_t)row_i64(rows, row, 5),
        .expire_year = (int32_t)row_i64(rows, row, 6),
        .is_default = row_bool(rows, row, 7) && !row_bool(rows, row, 8),
        .detached = row_bool(rows, row, 8),
        .created_us = row_time(rows, row, 9),
    };
}

static struct status
read_all(struct ctx *cx, const struct rows *rows, struct payment_method **ret_methods)
{
    struct payment_method *methods =
        arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *methods);

    if (methods == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        methods[i] = read_method(cx, rows, i);
    }
    *ret_methods = methods;
    return STATUS_OK;
}

struct status payment_method_store_list(
    struct ctx *cx,
    struct db *db,
    const struct id *customer_id,
    struct payment_method **ret_methods,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_i64(&p, PAYMENT_METHODS_SHOWN_MAX);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    *ret_count = rows_count(rows);
    return read_all(cx, rows, ret_methods);
}

struct status payment_method_store_lock(
    struct ctx *cx, struct tx *tx, const char *payment_method_id, struct payment_method *ret_method)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text(&p, payment_method_id);
    TRY(tx_query(cx, tx, &LOCK, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_pair(
            cx,
            status_fail(
                cx,
                REASON_PAYMENT_METHOD_NOT_FOUND,
                "payment method \"%s\" does not exist",
                payment_method_id),
            "payment_method_id",
            payment_method_id);
    }
    *ret_method = read_method(cx, rows, 0);
    return STATUS_OK;
}

struct status payment_method_store_write(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_method *method,
    int64_t fetch_number,
    bool *ret_attached)
{
    AUTO_ROWS rows = NULL;
    struct payment_method before = {.detached = false};
    const struct status status =
        payment_method_store_lock(cx, tx, method->payment_method_id, &before);
    struct params p = {0};

    if (status_reason(status) != REASON_PAYMENT_METHOD_NOT_FOUND) {
        TRY(status);
    }

    params_i64(&p, cx->caller.org_id);
    params_text(&p, method->payment_method_id);
    params_id(&p, &method->customer_id);
    params_text(&p, payment_method_kind_name(method->kind));
    params_text(&p, method->brand);
    params_text(&p, method->last4);
    params_i32(&p, method->expire_month);
    params_i32(&p, method->expire_year);
    params_i64(&p, fetch_number);
    params_time(&p, method->created_us);
    TRY(tx_query(cx, tx, &WRITE, &p, &rows));
    *ret_attached = rows_count(rows) == 1 && (row_bool(rows, 0, 0) || before.detached);
    return STATUS_OK;
}

struct status payment_method_store_detach(
    struct ctx *cx,
    struct tx *tx,
    const char *payment_method_id,
    int64_t fetch_number,
    bool *ret_detached)
{
    struct payment_method before = {.detached = false};
    const struct status status = payment_method_store_lock(cx, tx, payment_method_id, &before);
    struct params p = {0};
    int64_t written = 0;

    *ret_detached = false;
    if (status_reason(status) == REASON_PAYMENT_METHOD_NOT_FOUND) {
        return STATUS_OK;
    }
    TRY(status);
    params_i64(&p, cx->caller.org_id);
    params_text(&p, payment_method_id);
    params_i64(&p, fetch_number);
    TRY(tx_execute(cx, tx, &DETACH, &p, &written));
    *ret_detached = written == 1 && !before.detached;
    return STATUS_OK;
}

struct status payment_method_store_detach_all(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, int64_t fetch_number)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_i64(&p, fetch_number);
    return tx_execute(cx, tx, &DETACH_ALL, &p, NULL);
}

struct status payment_method_store_in_use(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const char *payment_method_id,
    struct id *ret_subscription_id)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_text(&p, payment_method_id);
    TRY(tx_query(cx, tx, &IN_USE, &p, &rows));
    *ret_subscription_id = rows_count(rows) == 0 ? (struct id){{0}} : row_id(rows, 0, 0);
    return STATUS_OK;
}

struct status payment_method_store_expiring(
    struct ctx *cx,
    struct db *db,
    size_t max,
    struct payment_method **ret_methods,
    int64_t **ret_org_ids,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};
    int64_t *org_ids = NULL;

    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &EXPIRING, &p, &rows));
    org_ids = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *org_ids);
    if (org_ids == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        org_ids[i] = row_i64(rows, i, 10);
    }
    *ret_org_ids = org_ids;
    *ret_count = rows_count(rows);
    return read_all(cx, rows, ret_methods);
}

struct status payment_method_store_tell_expiry(
    struct ctx *cx, struct tx *tx, const char *payment_method_id, bool *ret_first)
{
    struct params p = {0};
    int64_t told = 0;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, payment_method_id);
    TRY(tx_execute(cx, tx, &TELL_EXPIRY, &p, &told));
    *ret_first = told == 1;
    return STATUS_OK;
}
