#include "store/scheduled_change_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/subscription.h"
#include "store/db.h"

#define COLUMNS                                                           \
    "change_id, subscription_id, (detail ->> 'plan')::uuid, "             \
    "(detail ->> 'plan_version')::bigint, (detail ->> 'price')::uuid, "   \
    "(detail ->> 'quantity')::bigint, effective_at, detail ->> 'actor', " \
    "detail ->> 'account', detail ->> 'schedule', created_at FROM subscription_changes "

static const struct sql INSERT = {
    "scheduled_change_insert",
    "INSERT INTO subscription_changes (org_id, change_id, subscription_id, kind, state, detail, "
    "effective_at, created_at) VALUES ($1, $2, $3, 'ITEMS', 'SCHEDULED', jsonb_build_object("
    "'plan', $4::uuid, 'plan_version', $5::int, 'price', $6::uuid, 'quantity', $7::bigint, "
    "'actor', $8::text, 'account', $9::text, 'schedule', $10::text), $11, $12)",
};

static const struct sql FIND = {
    "scheduled_change_find",
    "SELECT " COLUMNS "WHERE org_id = $1 AND subscription_id = $2 AND state = 'SCHEDULED'",
};

static const struct sql CANCEL = {
    "scheduled_change_cancel",
    "UPDATE subscription_changes SET state = 'CANCELED', updated_at = now() "
    "WHERE org_id = $1 AND subscription_id = $2 AND state = 'SCHEDULED'",
};

static const struct sql OBSERVE = {
    "scheduled_change_observe",
    "UPDATE subscription_changes SET state = CASE WHEN $5 THEN 'CANCELED' ELSE 'APPLIED' END, "
    "updated_at = now() WHERE org_id = $1 AND subscription_id = $2 AND state = 'SCHEDULED' "
    "AND ($5 OR ((detail ->> 'price')::uuid = $3 AND (detail ->> 'quantity')::bigint = $4))",
};

static const struct sql LIST = {
    "scheduled_change_list",
    "SELECT " COLUMNS "WHERE org_id = $1 AND state = 'SCHEDULED' "
    "AND ($2::uuid IS NULL OR subscription_id = $2) "
    "AND ($3::timestamptz IS NULL OR (effective_at, change_id) > ($3, $4)) "
    "ORDER BY effective_at, change_id LIMIT $5",
};

static void
read_change(struct ctx *cx, const struct rows *rows, size_t row, struct scheduled_change *ret)
{
    *ret = (struct scheduled_change){
        .change_id = row_id(rows, row, 0),
        .subscription_id = row_id(rows, row, 1),
        .plan_id = row_id(rows, row, 2),
        .plan_version = (int32_t)row_i64(rows, row, 3),
        .price_id = row_id(rows, row, 4),
        .quantity = row_i64(rows, row, 5),
        .effective_us = row_time(rows, row, 6),
        .actor = row_text(cx, rows, row, 7),
        .account_id = row_text(cx, rows, row, 8),
        .stripe_schedule_id = row_text(cx, rows, row, 9),
        .created_us = row_time(rows, row, 10),
    };
}

struct status
scheduled_change_store_insert(struct ctx *cx, struct tx *tx, const struct scheduled_change *change)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &change->change_id);
    params_id(&p, &change->subscription_id);
    params_id(&p, &change->plan_id);
    params_i32(&p, change->plan_version);
    params_id(&p, &change->price_id);
    params_i64(&p, change->quantity);
    params_text(&p, change->actor);
    params_text(&p, change->account_id);
    params_text(&p, change->stripe_schedule_id);
    params_time(&p, change->effective_us);
    params_time(&p, change->created_us);
    return tx_execute(cx, tx, &INSERT, &p, NULL);
}

struct status scheduled_change_store_find(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    bool *ret_found,
    struct scheduled_change *ret_change)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    TRY(tx_query(cx, tx, &FIND, &p, &rows));
    *ret_found = rows_count(rows) > 0;
    if (*ret_found) {
        read_change(cx, rows, 0, ret_change);
    }
    return STATUS_OK;
}

struct status
scheduled_change_store_cancel(struct ctx *cx, struct tx *tx, const struct id *subscription_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    return tx_execute(cx, tx, &CANCEL, &p, NULL);
}

struct status scheduled_change_store_observe(
    struct ctx *cx, struct tx *tx, const struct subscription *subscription)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &subscription->subscription_id);
    params_id(&p, &subscription->price_id);
    params_i64(&p, subscription->quantity);
    params_bool(
        &p, subscription_status_ended(subscription->status) || subscription->cancel_at_period_end);
    return tx_queue_execute(cx, tx, &OBSERVE, &p);
}

struct status scheduled_change_store_list(
    struct ctx *cx,
    struct db *db,
    const struct scheduled_change_filter *filter,
    size_t max,
    struct scheduled_change **ret_changes,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct scheduled_change *list = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &filter->subscription_id);
    params_time_or_null(&p, filter->after_us);
    params_id(&p, &filter->after_id);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    list = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *list);
    if (list == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        read_change(cx, rows, i, &list[i]);
    }
    *ret_changes = list;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}
