#include "store/subscription_pause_store.h"

#include "base/ctx.h"
#include "store/db.h"

static const struct sql SET = {
    "subscription_pause_set",
    "UPDATE subscriptions SET resume_at = $3 "
    "WHERE org_id = $1 AND subscription_id = $2 AND status = 'PAUSED'",
};

static const struct sql CLEAR = {
    "subscription_pause_clear",
    "UPDATE subscriptions SET resume_at = NULL, version = version + 1, updated_at = now() "
    "WHERE org_id = $1 AND subscription_id = $2 AND resume_at IS NOT NULL",
};

/* Concerns all organisations: a job. */
static const struct sql DUE = {
    "subscription_pause_due",
    "SELECT org_id, subscription_id, resume_at FROM subscriptions "
    "WHERE resume_at <= now() AND status = 'PAUSED' ORDER BY resume_at LIMIT $1",
};

struct status subscription_pause_store_set(
    struct ctx *cx, struct tx *tx, const struct id *subscription_id, int64_t resume_us)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    params_time_or_null(&p, resume_us);
    return tx_execute(cx, tx, &SET, &p, NULL);
}

struct status
subscription_pause_store_clear(struct ctx *cx, struct db *db, const struct id *subscription_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    return db_execute(cx, db, &CLEAR, &p, NULL);
}

struct status subscription_pause_store_due(
    struct ctx *cx,
    struct db *db,
    size_t max,
    struct subscription_resumption *ret_resumptions,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &DUE, &p, &rows));
    *ret_count = rows_count(rows);
    for (size_t i = 0; i < *ret_count; i++) {
        ret_resumptions[i] = (struct subscription_resumption){
            .org_id = row_i64(rows, i, 0),
            .subscription_id = row_id(rows, i, 1),
            .resume_us = row_time(rows, i, 2),
        };
    }
    return STATUS_OK;
}
