#include "store/invoice_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"
#include "store/read_query.h"

#define COLUMNS                                                                                    \
    "i.invoice_id, i.customer_id, i.subscription_id, i.stripe_invoice_id, i.number, i.status, "    \
    "i.billing_reason, i.currency::text, i.subtotal_minor, i.discount_minor, i.tax_minor, "        \
    "i.total_minor, i.due_minor, i.paid_minor, i.remaining_minor, i.attempt_count, "               \
    "i.next_attempt_at, i.period_start_at, i.period_end_at, i.due_at, i.finalized_at, i.paid_at, " \
    "i.voided_at, i.hosted_url, i.pdf_url, i.decline_code, i.failed_at, "                          \
    "coalesce(i.stripe_payment_intent_id, ''), i.metadata, i.more_lines, i.fetch_number, "         \
    "i.created_at, i.updated_at, "                                                                 \
    "(SELECT coalesce(sum(f.amount_minor), 0)::bigint FROM refunds f WHERE f.org_id = i.org_id "   \
    "AND f.invoice_id = i.invoice_id AND f.stripe_refund_id IS NOT NULL "                          \
    "AND f.status NOT IN ('FAILED', 'CANCELED')) + "                                               \
    "(SELECT coalesce(sum(n.amount_minor - n.refund_minor), 0)::bigint FROM credit_notes n "       \
    "WHERE n.org_id = i.org_id AND n.invoice_id = i.invoice_id "                                   \
    "AND n.stripe_credit_note_id IS NOT NULL AND NOT n.voided) "

static const struct sql LOAD = {
    "invoice_load",
    "SELECT " COLUMNS "FROM invoices i WHERE i.org_id = $1 AND i.invoice_id = $2",
};

static const struct sql LOCK = {
    "invoice_lock",
    "SELECT " COLUMNS "FROM invoices i WHERE i.org_id = $1 AND i.invoice_id = $2 FOR UPDATE OF i",
};

static const struct sql LIST = {
    "invoice_list",
    "SELECT " COLUMNS "FROM invoices i WHERE i.org_id = $1 "
    "AND ($2::uuid IS NULL OR i.customer_id = $2) AND ($3::uuid IS NULL OR i.subscription_id = $3) "
    "AND (cardinality($4::text[]) = 0 OR i.status = ANY ($4)) "
    "AND ($5::timestamptz IS NULL OR i.created_at >= $5) "
    "AND ($6::timestamptz IS NULL OR i.created_at < $6) "
    "AND ($7::timestamptz IS NULL OR (i.created_at, i.invoice_id) < ($7, $8)) "
    "ORDER BY i.created_at DESC, i.invoice_id DESC LIMIT $9",
};

static const struct sql LOCK_STRIPE = {
    "invoice_lock_stripe",
    "SELECT " COLUMNS
    "FROM invoices i WHERE i.org_id = $1 AND i.stripe_invoice_id = $2 FOR UPDATE OF i",
};

/* There is no row to lock yet: whoever else sees the invoice for the first time waits here. */
static const struct sql LOCK_UNSEEN = {
    "invoice_lock_unseen",
    "SELECT pg_advisory_xact_lock(hashtextextended('invoice ' || $2, $1))",
};

static const struct sql WRITE = {
    "invoice_write",
    "INSERT INTO invoices (org_id, invoice_id, customer_id, subscription_id, stripe_invoice_id, "
    "number, status, billing_reason, currency, subtotal_minor, discount_minor, tax_minor, "
    "total_minor, due_minor, paid_minor, remaining_minor, attempt_count, next_attempt_at, "
    "period_start_at, period_end_at, due_at, finalized_at, paid_at, voided_at, hosted_url, "
    "pdf_url, decline_code, failed_at, stripe_payment_intent_id, metadata, more_lines, "
    "fetch_number, raw, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
    "$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, "
    "nullif($29, ''), $30, $31, $32, $33, $34) "
    "ON CONFLICT (org_id, stripe_invoice_id) DO UPDATE SET "
    "subscription_id = coalesce(excluded.subscription_id, invoices.subscription_id), "
    "number = excluded.number, status = excluded.status, "
    "billing_reason = excluded.billing_reason, subtotal_minor = excluded.subtotal_minor, "
    "discount_minor = excluded.discount_minor, "
    "tax_minor = excluded.tax_minor, total_minor = excluded.total_minor, "
    "due_minor = excluded.due_minor, paid_minor = excluded.paid_minor, "
    "remaining_minor = excluded.remaining_minor, attempt_count = excluded.attempt_count, "
    "next_attempt_at = excluded.next_attempt_at, period_start_at = excluded.period_start_at, "
    "period_end_at = excluded.period_end_at, due_at = excluded.due_at, "
    "finalized_at = excluded.finalized_at, paid_at = excluded.paid_at, "
    "voided_at = excluded.voided_at, "
    "hosted_url = excluded.hosted_url, pdf_url = excluded.pdf_url, "
    "decline_code = excluded.decline_code, failed_at = excluded.failed_at, "
    "stripe_payment_intent_id = "
    "coalesce(excluded.stripe_payment_intent_id, invoices.stripe_payment_intent_id), "
    "metadata = excluded.metadata, more_lines = excluded.more_lines, "
    "fetch_number = excluded.fetch_number, raw = excluded.raw, updated_at = now(), "
    "version = invoices.version + 1 WHERE invoices.fetch_number < excluded.fetch_number",
};

static const struct sql VOID = {
    "invoice_void",
    "UPDATE invoices SET status = 'VOID', remaining_minor = 0, next_attempt_at = NULL, "
    "voided_at = now(), "
    "fetch_number = $3, updated_at = now(), version = version + 1 "
    "WHERE org_id = $1 AND stripe_invoice_id = $2 AND fetch_number < $3 AND status <> 'PAID'",
};

static void
read_invoice(struct ctx *cx, const struct rows *rows, size_t row, struct invoice *ret_invoice)
{
    *ret_invoice = (struct invoice){
        .invoice_id = row_id(rows, row, 0),
        .customer_id = row_id(rows, row, 1),
        .subscription_id = row_id(rows, row, 2),
        .stripe_invoice_id = row_text(cx, rows, row, 3),
        .number = row_text(cx, rows, row, 4),
        .status = INVOICE_DRAFT,
        .billing_reason = row_text(cx, rows, row, 6),
        .currency = row_text(cx, rows, row, 7),
        .subtotal_minor = row_i64(rows, row, 8),
        .discount_minor = row_i64(rows, row, 9),
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
        .voided_us = row_time(rows, row, 22),
        .hosted_url = row_text(cx, rows, row, 23),
        .pdf_url = row_text(cx, rows, row, 24),
        .decline_code = row_text(cx, rows, row, 25),
        .failed_us = row_time(rows, row, 26),
        .payment_intent = row_text(cx, rows, row, 27),
        .metadata = row_text(cx, rows, row, 28),
        .more_lines = row_bool(rows, row, 29),
        .fetch_number = row_i64(rows, row, 30),
        .created_us = row_time(rows, row, 31),
        .updated_us = row_time(rows, row, 32),
        .refunded_minor = row_i64(rows, row, 33),
    };
    invoice_status_parse(row_text(cx, rows, row, 5), &ret_invoice->status);
}

static struct status not_found(struct ctx *cx, const struct id *invoice_id)
{
    const char *id = id_text(cx->arena, ID_INVOICE, invoice_id);

    return status_pair(
        cx,
        status_fail(cx, REASON_INVOICE_NOT_FOUND, "invoice \"%s\" does not exist", id),
        "invoice_id",
        id);
}

static struct status load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct id *invoice_id,
    struct invoice *ret_invoice)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, invoice_id);
    TRY(read_query(cx, db, tx, tx == NULL ? &LOAD : &LOCK, &p, &rows));
    if (rows_count(rows) == 0) {
        return not_found(cx, invoice_id);
    }
    read_invoice(cx, rows, 0, ret_invoice);
    return STATUS_OK;
}

struct status invoice_store_load(
    struct ctx *cx, struct db *db, const struct id *invoice_id, struct invoice *ret_invoice)
{
    return load(cx, db, NULL, invoice_id, ret_invoice);
}

struct status invoice_store_lock(
    struct ctx *cx, struct tx *tx, const struct id *invoice_id, struct invoice *ret_invoice)
{
    return load(cx, NULL, tx, invoice_id, ret_invoice);
}

struct status invoice_store_list(
    struct ctx *cx,
    struct db *db,
    const struct invoice_filter *filter,
    size_t max,
    struct invoice **ret_invoices,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct invoice *list = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &filter->customer_id);
    params_id(&p, &filter->subscription_id);
    params_text_array(cx, &p, filter->statuses, filter->status_count);
    params_time_or_null(&p, filter->from_us);
    params_time_or_null(&p, filter->until_us);
    params_time_or_null(&p, filter->before_us);
    params_id(&p, &filter->before_id);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    list = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *list);
    if (list == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        read_invoice(cx, rows, i, &list[i]);
    }
    *ret_invoices = list;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

void invoice_part_filter_params(
    struct params *p, const struct invoice_part_filter *filter, size_t max)
{
    params_id(p, &filter->customer_id);
    params_id(p, &filter->invoice_id);
    params_text(p, filter->state);
    params_time_or_null(p, filter->before_us);
    params_id(p, &filter->before_id);
    params_i64(p, (int64_t)max);
}

struct status invoice_store_lock_stripe(
    struct ctx *cx,
    struct tx *tx,
    const char *stripe_invoice_id,
    bool *ret_found,
    struct invoice *ret_invoice)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, stripe_invoice_id);
    TRY(tx_query(cx, tx, &LOCK_STRIPE, &p, &rows));
    if (rows_count(rows) == 0) {
        TRY(tx_execute(cx, tx, &LOCK_UNSEEN, &p, NULL));
        rows_release(&rows);
        TRY(tx_query(cx, tx, &LOCK_STRIPE, &p, &rows));
    }
    *ret_found = rows_count(rows) == 1;
    if (*ret_found) {
        read_invoice(cx, rows, 0, ret_invoice);
    }
    return STATUS_OK;
}

struct status
invoice_store_write(struct ctx *cx, struct tx *tx, const struct invoice *invoice, const char *raw)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &invoice->invoice_id);
    params_id(&p, &invoice->customer_id);
    params_id(&p, &invoice->subscription_id);
    params_text(&p, invoice->stripe_invoice_id);
    params_text(&p, invoice->number);
    params_text(&p, invoice_status_name(invoice->status));
    params_text(&p, invoice->billing_reason);
    params_text(&p, invoice->currency);
    params_i64(&p, invoice->subtotal_minor);
    params_i64(&p, invoice->discount_minor);
    params_i64(&p, invoice->tax_minor);
    params_i64(&p, invoice->total_minor);
    params_i64(&p, invoice->due_minor);
    params_i64(&p, invoice->paid_minor);
    params_i64(&p, invoice->remaining_minor);
    params_i32(&p, (int32_t)invoice->attempt_count);
    params_time_or_null(&p, invoice->next_attempt_us);
    params_time_or_null(&p, invoice->period_start_us);
    params_time_or_null(&p, invoice->period_end_us);
    params_time_or_null(&p, invoice->due_us);
    params_time_or_null(&p, invoice->finalized_us);
    params_time_or_null(&p, invoice->paid_us);
    params_time_or_null(&p, invoice->voided_us);
    params_text(&p, invoice->hosted_url);
    params_text(&p, invoice->pdf_url);
    params_text(&p, invoice->decline_code);
    params_time_or_null(&p, invoice->failed_us);
    params_text(&p, invoice->payment_intent);
    params_json(&p, invoice->metadata);
    params_bool(&p, invoice->more_lines);
    params_i64(&p, invoice->fetch_number);
    params_json(&p, raw);
    params_time(&p, invoice->created_us);
    return tx_execute(cx, tx, &WRITE, &p, NULL);
}

struct status invoice_store_void(
    struct ctx *cx, struct tx *tx, const char *stripe_invoice_id, int64_t fetch_number)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text(&p, stripe_invoice_id);
    params_i64(&p, fetch_number);
    return tx_execute(cx, tx, &VOID, &p, NULL);
}
