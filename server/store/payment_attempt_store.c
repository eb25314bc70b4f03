#include "store/payment_attempt_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

/* Invoice and charge of one payment are mirrored apart, and each looks for the other. */
static const struct sql LOCK_PAYMENT = {
    "payment_attempt_lock",
    "SELECT pg_advisory_xact_lock(hashtextextended('payment ' || $2, $1))",
};

static const struct sql TAKE_OVER = {
    "payment_attempt_take_over",
    "UPDATE payment_attempts SET stripe_charge_id = $3 WHERE org_id = $1 "
    "AND stripe_payment_intent_id = $2 AND stripe_charge_id IS NULL "
    "AND state IN ('ACTION_REQUIRED', 'PENDING') AND NOT EXISTS (SELECT FROM payment_attempts o "
    "WHERE o.org_id = $1 AND o.stripe_charge_id = $3)",
};

static const struct sql WRITE_CHARGE = {
    "payment_attempt_write",
    "INSERT INTO payment_attempts (org_id, payment_id, customer_id, invoice_id, state, "
    "amount_minor, currency, decline_code, advice_code, stripe_payment_intent_id, "
    "stripe_charge_id, stripe_payment_method_id, card_brand, card_last4, fetch_number, "
    "attempted_at) VALUES ($1, $2, $3, (SELECT invoice_id FROM invoices i WHERE i.org_id = $1 "
    "AND i.stripe_payment_intent_id = $9 AND $9 <> '' LIMIT 1), $4, $5, $6, $7, $8, "
    "nullif($9, ''), $10, $11, $12, $13, $14, $15) "
    "ON CONFLICT (org_id, stripe_charge_id) WHERE stripe_charge_id IS NOT NULL DO UPDATE SET "
    "invoice_id = coalesce(payment_attempts.invoice_id, excluded.invoice_id), "
    "state = excluded.state, amount_minor = excluded.amount_minor, "
    "decline_code = excluded.decline_code, advice_code = excluded.advice_code, "
    "stripe_payment_method_id = excluded.stripe_payment_method_id, "
    "card_brand = excluded.card_brand, card_last4 = excluded.card_last4, "
    "fetch_number = excluded.fetch_number, attempted_at = excluded.attempted_at "
    "WHERE payment_attempts.fetch_number < excluded.fetch_number",
};

/* A later read may have seen the charge that came of it. */
static const struct sql ADD_WAITING = {
    "payment_attempt_add_waiting",
    "INSERT INTO payment_attempts (org_id, payment_id, customer_id, invoice_id, state, "
    "amount_minor, currency, stripe_payment_intent_id, stripe_payment_method_id, fetch_number, "
    "attempted_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 "
    "WHERE NOT EXISTS (SELECT FROM payment_attempts o WHERE o.org_id = $1 "
    "AND o.stripe_payment_intent_id = $8 AND (o.fetch_number > $10 "
    "OR (o.stripe_charge_id IS NULL AND o.state IN ('ACTION_REQUIRED', 'PENDING'))))",
};

static const struct sql CANCEL_WAITING = {
    "payment_attempt_cancel_waiting",
    "UPDATE payment_attempts SET state = 'CANCELED', fetch_number = $3 WHERE org_id = $1 "
    "AND stripe_payment_intent_id = $2 AND stripe_charge_id IS NULL "
    "AND state IN ('ACTION_REQUIRED', 'PENDING') AND fetch_number < $3",
};

static const struct sql LINK = {
    "payment_attempt_link",
    "UPDATE payment_attempts SET invoice_id = $3 WHERE org_id = $1 "
    "AND stripe_payment_intent_id = $2 AND invoice_id IS NULL",
};

static const struct sql KNOWN = {
    "payment_attempt_known",
    "SELECT EXISTS (SELECT FROM payment_attempts WHERE org_id = $1 AND stripe_charge_id = $2)",
};

static const struct sql LIST = {
    "payment_attempt_list",
    "SELECT a.payment_id, a.invoice_id, a.customer_id, i.subscription_id, a.state, "
    "a.amount_minor, a.currency::text, a.decline_code, a.advice_code, "
    "CASE WHEN i.status IN ('OPEN', 'UNCOLLECTIBLE') THEN i.hosted_url ELSE '' END, "
    "coalesce(a.stripe_payment_intent_id, ''), coalesce(a.stripe_charge_id, ''), "
    "a.stripe_payment_method_id, a.card_brand, a.card_last4, a.fetch_number, a.attempted_at, "
    "(SELECT count(*) FROM payment_attempts o WHERE o.org_id = a.org_id "
    "AND o.invoice_id = a.invoice_id "
    "AND (o.attempted_at, o.payment_id) <= (a.attempted_at, a.payment_id)) "
    "FROM payment_attempts a "
    "LEFT JOIN invoices i ON i.org_id = a.org_id AND i.invoice_id = a.invoice_id "
    "WHERE a.org_id = $1 AND ($2::uuid IS NULL OR a.customer_id = $2) "
    "AND ($3::uuid IS NULL OR a.invoice_id = $3) AND ($4 = '' OR a.state = $4) "
    "AND ($5::timestamptz IS NULL OR (a.attempted_at, a.payment_id) < ($5, $6)) "
    "ORDER BY a.attempted_at DESC, a.payment_id DESC LIMIT $7",
};

static struct status lock_payment(struct ctx *cx, struct tx *tx, const char *payment_intent)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text(&p, payment_intent);
    return tx_execute(cx, tx, &LOCK_PAYMENT, &p, NULL);
}

struct status payment_attempt_store_write_charge(
    struct ctx *cx, struct tx *tx, const struct payment_attempt *attempt)
{
    struct params p = {0};
    struct params over = {0};

    TRY(lock_payment(cx, tx, attempt->payment_intent));
    params_i64(&over, cx->caller.org_id);
    params_text(&over, attempt->payment_intent);
    params_text(&over, attempt->charge);
    TRY(tx_queue_execute(cx, tx, &TAKE_OVER, &over));
    params_i64(&p, cx->caller.org_id);
    params_id(&p, &attempt->payment_id);
    params_id(&p, &attempt->customer_id);
    params_text(&p, payment_attempt_state_name(attempt->state));
    params_i64(&p, attempt->amount_minor);
    params_text(&p, attempt->currency);
    params_text(&p, attempt->decline_code);
    params_text(&p, attempt->advice_code);
    params_text(&p, attempt->payment_intent);
    params_text(&p, attempt->charge);
    params_text(&p, attempt->payment_method);
    params_text(&p, attempt->card_brand);
    params_text(&p, attempt->card_last4);
    params_i64(&p, attempt->fetch_number);
    params_time(&p, attempt->attempted_us);
    return tx_execute(cx, tx, &WRITE_CHARGE, &p, NULL);
}

struct status payment_attempt_store_write_waiting(
    struct ctx *cx, struct tx *tx, const struct payment_attempt *attempt)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    if (attempt->state == PAYMENT_ATTEMPT_CANCELED) {
        params_text(&p, attempt->payment_intent);
        params_i64(&p, attempt->fetch_number);
        return tx_execute(cx, tx, &CANCEL_WAITING, &p, NULL);
    }
    params_id(&p, &attempt->payment_id);
    params_id(&p, &attempt->customer_id);
    params_id(&p, &attempt->invoice_id);
    params_text(&p, payment_attempt_state_name(attempt->state));
    params_i64(&p, attempt->amount_minor);
    params_text(&p, attempt->currency);
    params_text(&p, attempt->payment_intent);
    params_text(&p, attempt->payment_method);
    params_i64(&p, attempt->fetch_number);
    params_time(&p, attempt->attempted_us);
    return tx_execute(cx, tx, &ADD_WAITING, &p, NULL);
}

struct status payment_attempt_store_link(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invoice_id,
    const char *payment_intent,
    const char *charge,
    bool *ret_known)
{
    struct params p = {0};
    struct params known = {0};
    AUTO_ROWS rows = NULL;

    TRY(lock_payment(cx, tx, payment_intent));
    params_i64(&p, cx->caller.org_id);
    params_text(&p, payment_intent);
    params_id(&p, invoice_id);
    TRY(tx_queue_execute(cx, tx, &LINK, &p));
    params_i64(&known, cx->caller.org_id);
    params_text(&known, charge);
    TRY(tx_query(cx, tx, &KNOWN, &known, &rows));
    *ret_known = row_bool(rows, 0, 0);
    return STATUS_OK;
}

static void read_attempt(
    struct ctx *cx, const struct rows *rows, size_t row, struct payment_attempt *ret_attempt)
{
    *ret_attempt = (struct payment_attempt){
        .payment_id = row_id(rows, row, 0),
        .invoice_id = row_id(rows, row, 1),
        .customer_id = row_id(rows, row, 2),
        .subscription_id = row_id(rows, row, 3),
        .state = PAYMENT_ATTEMPT_PENDING,
        .amount_minor = row_i64(rows, row, 5),
        .currency = row_text(cx, rows, row, 6),
        .decline_code = row_text(cx, rows, row, 7),
        .advice_code = row_text(cx, rows, row, 8),
        .action_url = row_text(cx, rows, row, 9),
        .payment_intent = row_text(cx, rows, row, 10),
        .charge = row_text(cx, rows, row, 11),
        .payment_method = row_text(cx, rows, row, 12),
        .card_brand = row_text(cx, rows, row, 13),
        .card_last4 = row_text(cx, rows, row, 14),
        .fetch_number = row_i64(rows, row, 15),
        .attempted_us = row_time(rows, row, 16),
        .number = row_i64(rows, row, 17),
    };
    payment_attempt_state_parse(row_text(cx, rows, row, 4), &ret_attempt->state);
}

struct status payment_attempt_store_list(
    struct ctx *cx,
    struct db *db,
    const struct invoice_part_filter *filter,
    size_t max,
    struct payment_attempt **ret_attempts,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct payment_attempt *list = NULL;

    params_i64(&p, cx->caller.org_id);
    invoice_part_filter_params(&p, filter, max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    list = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *list);
    if (list == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        read_attempt(cx, rows, i, &list[i]);
    }
    *ret_attempts = list;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}
