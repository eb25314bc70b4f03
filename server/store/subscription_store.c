#include "store/subscription_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/wallclock.h"
#include "store/db.h"

#define COLUMNS                                                                                  \
    "u.subscription_id, u.customer_id, c.external_id, u.status, u.plan_id, p.key, "              \
    "u.plan_version, u.price_id, u.quantity, r.currency::text, u.failure_reason, "               \
    "u.decline_code, u.stripe_subscription_id, u.latest_invoice_id, u.trial_start_at, "          \
    "u.trial_end_at, u.period_start_at, u.period_end_at, u.anchor_at, "                          \
    "u.cancel_at_period_end, u.cancel_at, u.canceled_at, u.ended_at, "                           \
    "u.raw #>> '{cancellation_details,reason}', u.raw #>> '{cancellation_details,feedback}', "   \
    "u.raw #>> '{cancellation_details,comment}', u.past_due_since, o.payment_grace_seconds, "    \
    "u.collection_paused, u.collection_method = 'INVOICE', "                                     \
    "coalesce((u.raw ->> 'days_until_due')::bigint, 0), u.metadata, u.fetch_number, "            \
    "u.version, u.created_at, u.updated_at, u.synced_at, "                                       \
    "u.raw #>> '{pause_collection,behavior}', "                                                  \
    "to_timestamp((u.raw #>> '{pause_collection,resumes_at}')::bigint), "                        \
    "to_timestamp((u.raw #>> '{status_details,paused,transitioned_at}')::bigint), u.resume_at, " \
    "u.raw #>> '{trial_settings,end_behavior,missing_payment_method}', "                         \
    "to_timestamp((u.raw ->> 'start_date')::bigint), u.source = 'billingos' "

#define TABLES                                                                   \
    "FROM subscriptions u "                                                      \
    "JOIN customers c ON c.org_id = u.org_id AND c.customer_id = u.customer_id " \
    "JOIN plans p ON p.org_id = u.org_id AND p.plan_id = u.plan_id "             \
    "JOIN prices r ON r.org_id = u.org_id AND r.price_id = u.price_id "          \
    "JOIN organizations o ON o.org_id = u.org_id "

static const struct sql LOAD = {
    "subscription_load",
    "SELECT " COLUMNS TABLES "WHERE u.org_id = $1 AND u.subscription_id = $2",
};

static const struct sql LIST = {
    "subscription_list",
    "SELECT " COLUMNS TABLES "WHERE u.org_id = $1 "
    "AND ($2::uuid IS NULL OR u.customer_id = $2) AND ($3::uuid IS NULL OR u.plan_id = $3) "
    "AND ($4::int = 0 OR u.plan_version = $4) "
    "AND (cardinality($5::text[]) = 0 OR u.status = ANY ($5)) "
    "AND ($6::timestamptz IS NULL OR u.created_at >= $6) "
    "AND ($7::timestamptz IS NULL OR u.created_at < $7) "
    "AND ($8::timestamptz IS NULL OR (u.created_at, u.subscription_id) < ($8, $9)) "
    "ORDER BY u.created_at DESC, u.subscription_id DESC LIMIT $10",
};

static const struct sql LOCK = {
    "subscription_lock",
    "SELECT " COLUMNS TABLES "WHERE u.org_id = $1 AND u.subscription_id = $2 FOR UPDATE OF u",
};

static const struct sql LOCK_STRIPE = {
    "subscription_lock_stripe",
    "SELECT " COLUMNS TABLES
    "WHERE u.org_id = $1 AND u.stripe_subscription_id = $2 FOR UPDATE OF u",
};

static const struct sql INSERT = {
    "subscription_insert",
    "INSERT INTO subscriptions (org_id, subscription_id, customer_id, status, plan_id, "
    "plan_version, price_id, quantity, stripe_subscription_id, metadata, application_fee_bps, "
    "created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), $10, "
    "0, $11, $11) ON CONFLICT (org_id, stripe_subscription_id) "
    "WHERE stripe_subscription_id IS NOT NULL DO NOTHING",
};

static const struct sql WRITE = {
    "subscription_write",
    "UPDATE subscriptions SET status = $3, plan_id = $4, plan_version = $5, price_id = $6, "
    "quantity = $7, failure_reason = $8, decline_code = $9, stripe_subscription_id = $10, "
    "trial_start_at = $11, trial_end_at = $12, period_start_at = $13, period_end_at = $14, "
    "anchor_at = $15, cancel_at_period_end = $16, cancel_at = $17, canceled_at = $18, "
    "ended_at = $19, past_due_since = $20, collection_paused = $21, collection_method = $22, "
    "metadata = $23, fetch_number = $24, raw = $25, synced_at = now(), "
    "resume_at = CASE WHEN $3 = 'PAUSED' THEN resume_at END, "
    "updated_at = CASE WHEN $26 THEN now() ELSE updated_at END, "
    "version = version + CASE WHEN $26 THEN 1 ELSE 0 END "
    "WHERE org_id = $1 AND subscription_id = $2",
};

static const struct sql FAIL = {
    "subscription_fail",
    "UPDATE subscriptions SET status = 'FAILED', failure_reason = $3, decline_code = $4, "
    "updated_at = now(), version = version + 1 WHERE org_id = $1 AND subscription_id = $2",
};

static const struct sql NOTE_INVOICE = {
    "subscription_note_invoice",
    "UPDATE subscriptions SET failure_reason = coalesce($3, failure_reason), "
    "decline_code = coalesce($4, decline_code), latest_invoice_id = (SELECT invoice_id "
    "FROM invoices i WHERE i.org_id = $1 AND i.subscription_id = $2 "
    "ORDER BY i.created_at DESC, i.invoice_id DESC LIMIT 1) "
    "WHERE org_id = $1 AND subscription_id = $2",
};

static const struct sql HISTORY = {
    "subscription_history",
    "SELECT (SELECT subscription_id FROM subscriptions WHERE org_id = $1 AND customer_id = $2 "
    "AND plan_id = $3 AND status NOT IN ('FAILED', 'INCOMPLETE_EXPIRED', 'CANCELED') "
    "ORDER BY created_at LIMIT 1), "
    "EXISTS (SELECT FROM subscriptions WHERE org_id = $1 AND customer_id = $2 "
    "AND plan_id = $3 AND trial_start_at IS NOT NULL)",
};

static void read_subscription(
    struct ctx *cx, const struct rows *rows, size_t row, struct subscription *ret_subscription)
{
    *ret_subscription = (struct subscription){
        .subscription_id = row_id(rows, row, 0),
        .customer_id = row_id(rows, row, 1),
        .external_customer_id = row_text(cx, rows, row, 2),
        .status = SUBSCRIPTION_PENDING,
        .plan_id = row_id(rows, row, 4),
        .plan_key = row_text(cx, rows, row, 5),
        .plan_version = (int32_t)row_i64(rows, row, 6),
        .price_id = row_id(rows, row, 7),
        .quantity = row_i64(rows, row, 8),
        .currency = row_text(cx, rows, row, 9),
        .failure_reason = row_text(cx, rows, row, 10),
        .decline_code = row_text(cx, rows, row, 11),
        .stripe_subscription_id = row_text(cx, rows, row, 12),
        .latest_invoice_id = row_id(rows, row, 13),
        .trial_start_us = row_time(rows, row, 14),
        .trial_end_us = row_time(rows, row, 15),
        .period_start_us = row_time(rows, row, 16),
        .period_end_us = row_time(rows, row, 17),
        .anchor_us = row_time(rows, row, 18),
        .cancel_at_period_end = row_bool(rows, row, 19),
        .cancel_at_us = row_time(rows, row, 20),
        .canceled_us = row_time(rows, row, 21),
        .ended_us = row_time(rows, row, 22),
        .cancel_reason = row_text(cx, rows, row, 23),
        .cancel_feedback = row_text(cx, rows, row, 24),
        .cancel_comment = row_text(cx, rows, row, 25),
        .past_due_since_us = row_time(rows, row, 26),
        .collection_paused = row_bool(rows, row, 28),
        .by_invoice = row_bool(rows, row, 29),
        .days_until_due = row_i64(rows, row, 30),
        .metadata = row_text(cx, rows, row, 31),
        .fetch_number = row_i64(rows, row, 32),
        .version = row_i64(rows, row, 33),
        .created_us = row_time(rows, row, 34),
        .updated_us = row_time(rows, row, 35),
        .synced_us = row_time(rows, row, 36),
        .collection_pause = row_text(cx, rows, row, 37),
        .collection_resume_us = row_time(rows, row, 38),
        .pause_us = row_time(rows, row, 39),
        .resume_us = row_time(rows, row, 40),
        .trial_end_behavior = row_text(cx, rows, row, 41),
        .start_us = row_time(rows, row, 42),
        .billed_here = row_bool(rows, row, 43),
    };
    subscription_status_parse(row_text(cx, rows, row, 3), &ret_subscription->status);
    if (ret_subscription->past_due_since_us != 0) {
        ret_subscription->grace_end_us =
            ret_subscription->past_due_since_us + row_i64(rows, row, 27) * US_PER_SECOND;
    }
}

static struct status not_found(struct ctx *cx, const char *id)
{
    return status_pair(
        cx,
        status_fail(cx, REASON_SUBSCRIPTION_NOT_FOUND, "subscription \"%s\" does not exist", id),
        "subscription_id",
        id);
}

struct status subscription_store_load(
    struct ctx *cx,
    struct db *db,
    const struct id *subscription_id,
    struct subscription *ret_subscription)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    TRY(db_query(cx, db, &LOAD, &p, &rows));
    if (rows_count(rows) == 0) {
        return not_found(cx, id_text(cx->arena, ID_SUBSCRIPTION, subscription_id));
    }
    read_subscription(cx, rows, 0, ret_subscription);
    return STATUS_OK;
}

struct status subscription_store_list(
    struct ctx *cx,
    struct db *db,
    const struct subscription_filter *filter,
    size_t max,
    struct subscription **ret_subscriptions,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct subscription *list = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &filter->customer_id);
    params_id(&p, &filter->plan_id);
    params_i32(&p, filter->plan_version);
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
        read_subscription(cx, rows, i, &list[i]);
    }
    *ret_subscriptions = list;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status subscription_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    struct subscription *ret_subscription)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    TRY(tx_query(cx, tx, &LOCK, &p, &rows));
    if (rows_count(rows) == 0) {
        return not_found(cx, id_text(cx->arena, ID_SUBSCRIPTION, subscription_id));
    }
    read_subscription(cx, rows, 0, ret_subscription);
    return STATUS_OK;
}

struct status subscription_store_lock_stripe(
    struct ctx *cx,
    struct tx *tx,
    const char *stripe_subscription_id,
    struct subscription *ret_subscription)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, stripe_subscription_id);
    TRY(tx_query(cx, tx, &LOCK_STRIPE, &p, &rows));
    if (rows_count(rows) == 0) {
        return not_found(cx, stripe_subscription_id);
    }
    read_subscription(cx, rows, 0, ret_subscription);
    return STATUS_OK;
}

struct status
subscription_store_insert(struct ctx *cx, struct tx *tx, const struct subscription *subscription)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &subscription->subscription_id);
    params_id(&p, &subscription->customer_id);
    params_text(&p, subscription_status_name(subscription->status));
    params_id(&p, &subscription->plan_id);
    params_i32(&p, subscription->plan_version);
    params_id(&p, &subscription->price_id);
    params_i64(&p, subscription->quantity);
    params_text(&p, subscription->stripe_subscription_id);
    params_json(&p, subscription->metadata);
    params_time(&p, subscription->created_us);
    return tx_execute(cx, tx, &INSERT, &p, NULL);
}

struct status subscription_store_write(
    struct ctx *cx,
    struct tx *tx,
    const struct subscription *subscription,
    const char *raw,
    bool changed)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &subscription->subscription_id);
    params_text(&p, subscription_status_name(subscription->status));
    params_id(&p, &subscription->plan_id);
    params_i32(&p, subscription->plan_version);
    params_id(&p, &subscription->price_id);
    params_i64(&p, subscription->quantity);
    params_text(&p, subscription->failure_reason);
    params_text(&p, subscription->decline_code);
    params_text(&p, subscription->stripe_subscription_id);
    params_time_or_null(&p, subscription->trial_start_us);
    params_time_or_null(&p, subscription->trial_end_us);
    params_time_or_null(&p, subscription->period_start_us);
    params_time_or_null(&p, subscription->period_end_us);
    params_time_or_null(&p, subscription->anchor_us);
    params_bool(&p, subscription->cancel_at_period_end);
    params_time_or_null(&p, subscription->cancel_at_us);
    params_time_or_null(&p, subscription->canceled_us);
    params_time_or_null(&p, subscription->ended_us);
    params_time_or_null(&p, subscription->past_due_since_us);
    params_bool(&p, subscription->collection_paused);
    params_text(&p, subscription->by_invoice ? "INVOICE" : "AUTOMATIC");
    params_json(&p, subscription->metadata);
    params_i64(&p, subscription->fetch_number);
    params_json(&p, raw);
    params_bool(&p, changed);
    return tx_execute(cx, tx, &WRITE, &p, NULL);
}

struct status subscription_store_fail(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const char *failure_reason,
    const char *decline_code)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    params_text(&p, failure_reason);
    params_text(&p, decline_code);
    return tx_execute(cx, tx, &FAIL, &p, NULL);
}

struct status subscription_store_note_invoice(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const char *failure_reason,
    const char *decline_code)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    params_text(&p, failure_reason);
    params_text(&p, decline_code);
    return tx_execute(cx, tx, &NOTE_INVOICE, &p, NULL);
}

struct status subscription_store_history(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const struct id *plan_id,
    struct subscription_history *ret_history)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_id(&p, plan_id);
    TRY(tx_query(cx, tx, &HISTORY, &p, &rows));
    *ret_history = (struct subscription_history){
        .live_id = row_id(rows, 0, 0), .had_trial = row_bool(rows, 0, 1)};
    return STATUS_OK;
}
