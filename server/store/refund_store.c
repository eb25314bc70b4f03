#include "store/refund_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"
#include "store/read_query.h"

#define COLUMNS                                                                               \
    "f.refund_id, f.invoice_id, f.customer_id, (SELECT a.payment_id FROM payment_attempts a " \
    "WHERE a.org_id = f.org_id AND a.stripe_charge_id = f.stripe_charge_id), "                \
    "f.stripe_refund_id, f.stripe_payment_intent_id, f.stripe_charge_id, f.amount_minor, "    \
    "f.currency::text, f.status, f.reason, f.failure_code, f.fetch_number, f.created_at "

/* Of none of our customers: not ours to show. */
#define SHOWN "f.stripe_refund_id IS NOT NULL AND f.customer_id IS NOT NULL "

static const struct sql TAKEN = {
    "refund_taken",
    "SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds WHERE org_id = $1 "
    "AND invoice_id = $2 AND status NOT IN ('FAILED', 'CANCELED')",
};

static const struct sql CLAIM = {
    "refund_claim",
    "INSERT INTO refunds (org_id, refund_id, invoice_id, customer_id, amount_minor, currency, "
    "status, reason, stripe_payment_intent_id, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, 'PENDING', $7, $8, $9)",
};

static const struct sql GIVE_UP = {
    "refund_give_up",
    "DELETE FROM refunds WHERE org_id = $1 AND refund_id = $2 AND stripe_refund_id IS NULL",
};

static const struct sql NAME = {
    "refund_name",
    "UPDATE refunds SET stripe_refund_id = $3 WHERE org_id = $1 AND refund_id = $2 "
    "AND stripe_refund_id IS NULL AND NOT EXISTS (SELECT FROM refunds o WHERE o.org_id = $1 "
    "AND o.stripe_refund_id = $3)",
};

static const struct sql WRITE = {
    "refund_write",
    "INSERT INTO refunds (org_id, refund_id, stripe_refund_id, invoice_id, customer_id, "
    "amount_minor, currency, status, reason, failure_code, stripe_payment_intent_id, "
    "stripe_charge_id, fetch_number, raw, created_at) "
    "SELECT $1, $2, $3, i.invoice_id, i.customer_id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 "
    "FROM (SELECT) one LEFT JOIN LATERAL (SELECT invoice_id, customer_id FROM invoices "
    "WHERE org_id = $1 AND stripe_payment_intent_id = $9 AND $9 <> '' LIMIT 1) i ON true "
    "ON CONFLICT (org_id, stripe_refund_id) DO UPDATE SET "
    "invoice_id = coalesce(refunds.invoice_id, excluded.invoice_id), "
    "customer_id = coalesce(refunds.customer_id, excluded.customer_id), "
    "amount_minor = excluded.amount_minor, status = excluded.status, "
    "reason = CASE WHEN refunds.reason = '' THEN excluded.reason ELSE refunds.reason END, "
    "failure_code = excluded.failure_code, stripe_charge_id = excluded.stripe_charge_id, "
    "fetch_number = excluded.fetch_number, raw = excluded.raw, updated_at = now() "
    "WHERE refunds.fetch_number < excluded.fetch_number",
};

static const struct sql LINK = {
    "refund_link",
    "UPDATE refunds SET invoice_id = $2, customer_id = $3 WHERE org_id = $1 "
    "AND stripe_payment_intent_id = $4 AND invoice_id IS NULL AND $4 <> ''",
};

static const struct sql LOAD = {
    "refund_load",
    "SELECT " COLUMNS "FROM refunds f WHERE f.org_id = $1 AND f.refund_id = $2 AND " SHOWN,
};

static const struct sql LIST = {
    "refund_list",
    "SELECT " COLUMNS "FROM refunds f WHERE f.org_id = $1 "
    "AND ($2::uuid IS NULL OR f.customer_id = $2) AND ($3::uuid IS NULL OR f.invoice_id = $3) "
    "AND ($4 = '' OR f.status = $4) "
    "AND ($5::timestamptz IS NULL OR (f.created_at, f.refund_id) < ($5, $6)) AND " SHOWN
    "ORDER BY f.created_at DESC, f.refund_id DESC LIMIT $7",
};

struct status
refund_store_taken(struct ctx *cx, struct tx *tx, const struct id *invoice_id, int64_t *ret_minor)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, invoice_id);
    TRY(tx_query(cx, tx, &TAKEN, &p, &rows));
    *ret_minor = row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status refund_store_claim(struct ctx *cx, struct tx *tx, const struct refund *refund)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &refund->refund_id);
    params_id(&p, &refund->invoice_id);
    params_id(&p, &refund->customer_id);
    params_i64(&p, refund->amount_minor);
    params_text(&p, refund->currency);
    params_text(&p, refund_reason_name(refund->reason));
    params_text(&p, refund->payment_intent);
    params_time(&p, refund->created_us);
    return tx_execute(cx, tx, &CLAIM, &p, NULL);
}

struct status refund_store_give_up(struct ctx *cx, struct tx *tx, const struct id *refund_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, refund_id);
    return tx_execute(cx, tx, &GIVE_UP, &p, NULL);
}

struct status
refund_store_write(struct ctx *cx, struct tx *tx, const struct refund *refund, const char *raw)
{
    struct params p = {0};
    struct params name = {0};

    params_i64(&name, cx->caller.org_id);
    params_id(&name, &refund->refund_id);
    params_text(&name, refund->stripe_refund_id);
    TRY(tx_queue_execute(cx, tx, &NAME, &name));
    params_i64(&p, cx->caller.org_id);
    params_id(&p, &refund->refund_id);
    params_text(&p, refund->stripe_refund_id);
    params_i64(&p, refund->amount_minor);
    params_text(&p, refund->currency);
    params_text(&p, refund_state_name(refund->state));
    params_text(&p, refund_reason_name(refund->reason));
    params_text(&p, refund->failure_code);
    params_text(&p, refund->payment_intent);
    params_text(&p, refund->charge);
    params_i64(&p, refund->fetch_number);
    params_json(&p, raw);
    params_time(&p, refund->created_us);
    return tx_execute(cx, tx, &WRITE, &p, NULL);
}

struct status refund_store_link(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invoice_id,
    const struct id *customer_id,
    const char *payment_intent)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, invoice_id);
    params_id(&p, customer_id);
    params_text(&p, payment_intent);
    return tx_queue_execute(cx, tx, &LINK, &p);
}

static void
read_refund(struct ctx *cx, const struct rows *rows, size_t row, struct refund *ret_refund)
{
    *ret_refund = (struct refund){
        .refund_id = row_id(rows, row, 0),
        .invoice_id = row_id(rows, row, 1),
        .customer_id = row_id(rows, row, 2),
        .payment_id = row_id(rows, row, 3),
        .stripe_refund_id = row_text(cx, rows, row, 4),
        .payment_intent = row_text(cx, rows, row, 5),
        .charge = row_text(cx, rows, row, 6),
        .amount_minor = row_i64(rows, row, 7),
        .currency = row_text(cx, rows, row, 8),
        .state = REFUND_PENDING,
        .reason = refund_reason_parse(row_text(cx, rows, row, 10)),
        .failure_code = row_text(cx, rows, row, 11),
        .fetch_number = row_i64(rows, row, 12),
        .created_us = row_time(rows, row, 13),
    };
    refund_state_parse(row_text(cx, rows, row, 9), &ret_refund->state);
}

struct status refund_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct id *refund_id,
    struct refund *ret_refund)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, refund_id);
    TRY(read_query(cx, db, tx, &LOAD, &p, &rows));
    if (rows_count(rows) == 0) {
        const char *id = id_text(cx->arena, ID_REFUND, refund_id);

        return status_pair(
            cx,
            status_fail(cx, REASON_REFUND_NOT_FOUND, "refund \"%s\" does not exist", id),
            "refund_id",
            id);
    }
    read_refund(cx, rows, 0, ret_refund);
    return STATUS_OK;
}

struct status refund_store_list(
    struct ctx *cx,
    struct db *db,
    const struct invoice_part_filter *filter,
    size_t max,
    struct refund **ret_refunds,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct refund *list = NULL;

    params_i64(&p, cx->caller.org_id);
    invoice_part_filter_params(&p, filter, max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    list = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *list);
    if (list == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        read_refund(cx, rows, i, &list[i]);
    }
    *ret_refunds = list;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}
