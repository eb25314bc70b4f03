#include "store/mirror_view_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

static const struct sql SUBSCRIPTIONS = {
    "mirror_view_subscriptions",
    "SELECT u.stripe_subscription_id, u.subscription_id, u.customer_id, u.subscription_id, "
    "u.fetch_number, coalesce(u.synced_at, u.updated_at), u.status, "
    "coalesce(r.stripe_price_id, ''), u.quantity, u.trial_start_at, u.trial_end_at, "
    "u.period_start_at, u.period_end_at, u.anchor_at, u.cancel_at_period_end, u.cancel_at, "
    "u.canceled_at, u.ended_at, u.collection_paused, u.collection_method = 'INVOICE' "
    "FROM subscriptions u JOIN prices r ON r.org_id = u.org_id AND r.price_id = u.price_id "
    "WHERE u.org_id = $1 AND u.stripe_subscription_id = ANY ($2)",
};

static const struct sql INVOICES = {
    "mirror_view_invoices",
    "SELECT stripe_invoice_id, invoice_id, customer_id, subscription_id, fetch_number, "
    "updated_at, status, number, currency::text, subtotal_minor, tax_minor, total_minor, "
    "due_minor, paid_minor, remaining_minor, attempt_count, next_attempt_at, period_start_at, "
    "period_end_at, due_at, finalized_at, paid_at "
    "FROM invoices WHERE org_id = $1 AND stripe_invoice_id = ANY ($2)",
};

static const struct sql CUSTOMERS = {
    "mirror_view_customers",
    "SELECT stripe_customer_id FROM customers WHERE org_id = $1 AND stripe_customer_id = ANY ($2)",
};

static const struct sql WAITING = {
    "mirror_view_waiting",
    "SELECT coalesce(u.stripe_subscription_id, ''), u.subscription_id, u.customer_id, "
    "u.subscription_id, u.fetch_number, u.updated_at, EXISTS (SELECT FROM intents i "
    "WHERE i.org_id = u.org_id AND i.subject_id = u.subscription_id AND i.state = 'PENDING' "
    "AND i.leased_until > now()) FROM subscriptions u WHERE u.org_id = $1 "
    "AND u.subscription_id = $2 AND u.stripe_subscription_id IS NULL",
};

#define NOT_SEEN(id)                                                                  \
    "NOT EXISTS (SELECT FROM reconcile_seen s WHERE s.org_id = $1 AND s.run_id = $2 " \
    "AND s.object_id = " id ") "

static const struct sql UNSEEN_SUBSCRIPTIONS = {
    "mirror_view_unseen_subscriptions",
    "SELECT stripe_subscription_id FROM subscriptions WHERE org_id = $1 "
    "AND stripe_subscription_id > $6 AND fetch_number < $3 AND ($4 OR status NOT IN ('FAILED', "
    "'INCOMPLETE_EXPIRED', 'CANCELED')) AND $5::timestamptz IS NOT NULL "
    "AND " NOT_SEEN("stripe_subscription_id") "ORDER BY stripe_subscription_id LIMIT $7",
};

static const struct sql UNSEEN_INVOICES = {
    "mirror_view_unseen_invoices",
    "SELECT stripe_invoice_id FROM invoices WHERE org_id = $1 AND stripe_invoice_id > $6 "
    "AND fetch_number < $3 AND status <> 'VOID' AND ($4 OR (status IN ('DRAFT', 'OPEN') "
    "AND created_at >= $5)) "
    "AND " NOT_SEEN("stripe_invoice_id") "ORDER BY stripe_invoice_id LIMIT $7",
};

static struct mirror_row read_row(struct ctx *cx, const struct rows *rows, size_t row)
{
    return (struct mirror_row){
        .stripe_id = row_text(cx, rows, row, 0),
        .id = row_id(rows, row, 1),
        .customer_id = row_id(rows, row, 2),
        .subscription_id = row_id(rows, row, 3),
        .fetch_number = row_i64(rows, row, 4),
        .synced_us = row_time(rows, row, 5),
    };
}

static struct status query_ids(
    struct ctx *cx,
    struct db *db,
    const struct sql *sql,
    const char *const *stripe_ids,
    size_t count,
    struct rows **ret_rows)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text_array(cx, &p, stripe_ids, count);
    return db_query(cx, db, sql, &p, ret_rows);
}

static struct mirror_subscription
read_subscription(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct mirror_subscription read = {
        .row = read_row(cx, rows, row),
        .stripe_price_id = row_text(cx, rows, row, 7),
        .subscription =
            {
                .status = SUBSCRIPTION_PENDING,
                .quantity = row_i64(rows, row, 8),
                .trial_start_us = row_time(rows, row, 9),
                .trial_end_us = row_time(rows, row, 10),
                .period_start_us = row_time(rows, row, 11),
                .period_end_us = row_time(rows, row, 12),
                .anchor_us = row_time(rows, row, 13),
                .cancel_at_period_end = row_bool(rows, row, 14),
                .cancel_at_us = row_time(rows, row, 15),
                .canceled_us = row_time(rows, row, 16),
                .ended_us = row_time(rows, row, 17),
                .collection_paused = row_bool(rows, row, 18),
                .by_invoice = row_bool(rows, row, 19),
            },
    };

    subscription_status_parse(row_text(cx, rows, row, 6), &read.subscription.status);
    return read;
}

struct status mirror_view_store_subscriptions(
    struct ctx *cx,
    struct db *db,
    const char *const *stripe_ids,
    size_t count,
    struct mirror_subscription **ret_rows,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct mirror_subscription *list = NULL;

    TRY(query_ids(cx, db, &SUBSCRIPTIONS, stripe_ids, count, &rows));
    list = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *list);
    if (list == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        list[i] = read_subscription(cx, rows, i);
    }
    *ret_rows = list;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

static struct mirror_invoice read_invoice(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct mirror_invoice read = {
        .row = read_row(cx, rows, row),
        .invoice =
            {
                .status = INVOICE_DRAFT,
                .number = row_text(cx, rows, row, 7),
                .currency = row_text(cx, rows, row, 8),
                .subtotal_minor = row_i64(rows, row, 9),
                .tax_minor = row_i64(rows, row, 10),
                .total_minor = row_i64(rows, row, 11),
                .due_minor = row_i64(rows, row, 12),
                .paid_minor = row_i64(rows, row, 13),
                .remaining_minor = row_i64(rows, row, 14),
                .attempt_count = row_i64(rows, row, 15),
                .next_attempt_us = row_time(rows, row, 16),
                .period_start_us = row_time(rows, row, 17),
                .period_end_us = row_time(rows, row, 18),
                .due_us = row_time(rows, row, 19),
                .finalized_us = row_time(rows, row, 20),
                .paid_us = row_time(rows, row, 21),
            },
    };

    invoice_status_parse(row_text(cx, rows, row, 6), &read.invoice.status);
    return read;
}

struct status mirror_view_store_invoices(
    struct ctx *cx,
    struct db *db,
    const char *const *stripe_ids,
    size_t count,
    struct mirror_invoice **ret_rows,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct mirror_invoice *list = NULL;

    TRY(query_ids(cx, db, &INVOICES, stripe_ids, count, &rows));
    list = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *list);
    if (list == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        list[i] = read_invoice(cx, rows, i);
    }
    *ret_rows = list;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

static struct status
read_ids(struct ctx *cx, const struct rows *rows, const char *const **ret_ids, size_t *ret_count)
{
    const char **ids = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *ids);

    if (ids == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        ids[i] = row_text(cx, rows, i, 0);
    }
    *ret_ids = ids;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status mirror_view_store_customers(
    struct ctx *cx,
    struct db *db,
    const char *const *stripe_ids,
    size_t count,
    const char *const **ret_known,
    size_t *ret_known_count)
{
    AUTO_ROWS rows = NULL;

    TRY(query_ids(cx, db, &CUSTOMERS, stripe_ids, count, &rows));
    return read_ids(cx, rows, ret_known, ret_known_count);
}

struct status mirror_view_store_waiting(
    struct ctx *cx,
    struct db *db,
    const struct id *subscription_id,
    bool *ret_found,
    bool *ret_busy,
    struct mirror_row *ret_row)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    TRY(db_query(cx, db, &WAITING, &p, &rows));
    *ret_found = rows_count(rows) == 1;
    *ret_busy = *ret_found && row_bool(rows, 0, 6);
    if (*ret_found) {
        *ret_row = read_row(cx, rows, 0);
    }
    return STATUS_OK;
}

static struct status query_unseen(
    struct ctx *cx,
    struct db *db,
    const struct sql *sql,
    const struct mirror_unseen *query,
    const char *const **ret_ids,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &query->run_id);
    params_i64(&p, query->before_fetch);
    params_bool(&p, query->whole);
    params_time(&p, query->from_us);
    params_text(&p, query->after);
    params_i64(&p, (int64_t)query->max);
    TRY(db_query(cx, db, sql, &p, &rows));
    return read_ids(cx, rows, ret_ids, ret_count);
}

struct status mirror_view_store_unseen_subscriptions(
    struct ctx *cx,
    struct db *db,
    const struct mirror_unseen *query,
    const char *const **ret_ids,
    size_t *ret_count)
{
    return query_unseen(cx, db, &UNSEEN_SUBSCRIPTIONS, query, ret_ids, ret_count);
}

struct status mirror_view_store_unseen_invoices(
    struct ctx *cx,
    struct db *db,
    const struct mirror_unseen *query,
    const char *const **ret_ids,
    size_t *ret_count)
{
    return query_unseen(cx, db, &UNSEEN_INVOICES, query, ret_ids, ret_count);
}
