#include "store/invoice_store.h"

#include "base/ctx.h"
#include "store/db.h"

static const struct sql LOCK_STRIPE = {
    "invoice_lock_stripe",
    "SELECT invoice_id, customer_id, subscription_id, stripe_invoice_id, number, status, "
    "billing_reason, currency::text, subtotal_minor, tax_minor, total_minor, due_minor, "
    "paid_minor, remaining_minor, attempt_count, next_attempt_at, period_start_at, "
    "period_end_at, due_at, finalized_at, paid_at, hosted_url, pdf_url, fetch_number, created_at "
    "FROM invoices WHERE org_id = $1 AND stripe_invoice_id = $2 FOR UPDATE",
};

/* There is no row to lock yet: whoever else sees the invoice for the first time waits here. */
static const struct sql LOCK_UNSEEN = {
    "invoice_lock_unseen",
    "SELECT pg_advisory_xact_lock(hashtextextended('invoice ' || $2, $1))",
};

static const struct sql WRITE = {
    "invoice_write",
    "INSERT INTO invoices (org_id, invoice_id, customer_id, subscription_id, stripe_invoice_id, "
    "number, status, billing_reason, currency, subtotal_minor, tax_minor, total_minor, "
    "due_minor, paid_minor, remaining_minor, attempt_count, next_attempt_at, period_start_at, "
    "period_end_at, due_at, finalized_at, paid_at, hosted_url, pdf_url, fetch_number, raw, "
    "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
    "$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27) "
    "ON CONFLICT (org_id, stripe_invoice_id) DO UPDATE SET "
    "subscription_id = coalesce(excluded.subscription_id, invoices.subscription_id), "
    "number = excluded.number, status = excluded.status, "
    "billing_reason = excluded.billing_reason, subtotal_minor = excluded.subtotal_minor, "
    "tax_minor = excluded.tax_minor, total_minor = excluded.total_minor, "
    "due_minor = excluded.due_minor, paid_minor = excluded.paid_minor, "
    "remaining_minor = excluded.remaining_minor, attempt_count = excluded.attempt_count, "
    "next_attempt_at = excluded.next_attempt_at, period_start_at = excluded.period_start_at, "
    "period_end_at = excluded.period_end_at, due_at = excluded.due_at, "
    "finalized_at = excluded.finalized_at, paid_at = excluded.paid_at, "
    "hosted_url = excluded.hosted_url, pdf_url = excluded.pdf_url, "
    "fetch_number = excluded.fetch_number, raw = excluded.raw, updated_at = now(), "
    "version = invoices.version + 1 WHERE invoices.fetch_number < excluded.fetch_number",
};

static const struct sql ADD_ATTEMPT = {
    "payment_attempt_add",
    "INSERT INTO payment_attempts (org_id, invoice_id, attempt_no, succeeded, amount_minor, "
    "currency, decline_code, advice_code, stripe_payment_intent_id, attempted_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), now()) "
    "ON CONFLICT (org_id, invoice_id, attempt_no) DO UPDATE SET succeeded = excluded.succeeded, "
    "decline_code = CASE WHEN payment_attempts.decline_code = '' THEN excluded.decline_code "
    "ELSE payment_attempts.decline_code END",
};

static const struct sql VOID = {
    "invoice_void",
    "UPDATE invoices SET status = 'VOID', remaining_minor = 0, next_attempt_at = NULL, "
    "fetch_number = $3, updated_at = now(), version = version + 1 "
    "WHERE org_id = $1 AND stripe_invoice_id = $2 AND fetch_number < $3 AND status <> 'PAID'",
};

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
    if (!*ret_found) {
        return STATUS_OK;
    }
    *ret_invoice = (struct invoice){
        .invoice_id = row_id(rows, 0, 0),
        .customer_id = row_id(rows, 0, 1),
        .subscription_id = row_id(rows, 0, 2),
        .stripe_invoice_id = row_text(cx, rows, 0, 3),
        .number = row_text(cx, rows, 0, 4),
        .status = INVOICE_DRAFT,
        .billing_reason = row_text(cx, rows, 0, 6),
        .currency = row_text(cx, rows, 0, 7),
        .subtotal_minor = row_i64(rows, 0, 8),
        .tax_minor = row_i64(rows, 0, 9),
        .total_minor = row_i64(rows, 0, 10),
        .due_minor = row_i64(rows, 0, 11),
        .paid_minor = row_i64(rows, 0, 12),
        .remaining_minor = row_i64(rows, 0, 13),
        .attempt_count = row_i64(rows, 0, 14),
        .next_attempt_us = row_time(rows, 0, 15),
        .period_start_us = row_time(rows, 0, 16),
        .period_end_us = row_time(rows, 0, 17),
        .due_us = row_time(rows, 0, 18),
        .finalized_us = row_time(rows, 0, 19),
        .paid_us = row_time(rows, 0, 20),
        .hosted_url = row_text(cx, rows, 0, 21),
        .pdf_url = row_text(cx, rows, 0, 22),
        .decline_code = "",
        .advice_code = "",
        .payment_intent = "",
        .fetch_number = row_i64(rows, 0, 23),
        .created_us = row_time(rows, 0, 24),
    };
    invoice_status_parse(row_text(cx, rows, 0, 5), &ret_invoice->status);
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
    params_text(&p, invoice->hosted_url);
    params_text(&p, invoice->pdf_url);
    params_i64(&p, invoice->fetch_number);
    params_json(&p, raw);
    params_time(&p, invoice->created_us);
    return tx_execute(cx, tx, &WRITE, &p, NULL);
}

struct status invoice_store_add_attempt(
    struct ctx *cx, struct tx *tx, const struct invoice *invoice, bool succeeded)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &invoice->invoice_id);
    params_i32(&p, (int32_t)invoice->attempt_count);
    params_bool(&p, succeeded);
    params_i64(&p, succeeded ? invoice->paid_minor : invoice->remaining_minor);
    params_text(&p, invoice->currency);
    params_text(&p, succeeded ? "" : invoice->decline_code);
    params_text(&p, succeeded ? "" : invoice->advice_code);
    params_text(&p, invoice->payment_intent);
    return tx_queue_execute(cx, tx, &ADD_ATTEMPT, &p);
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
