#include "store/retention_store.h"

#include "store/db.h"

#define PERIOD_DAYS 35

/* Over all organisations: the log has one order of time. */
static const struct sql EVENTS = {
    "retention_events",
    "DELETE FROM event_log WHERE (org_id, seq) IN (SELECT org_id, seq FROM event_log"
    " WHERE created_at < now() - make_interval(days => $1) LIMIT $2)"};

/* Partitions hold all organisations. */
static const struct sql USAGE = {
    "retention_usage",
    "SELECT usage_drop_partitions(least(period - 1, period - $1)) FROM usage_period"};

struct status retention_store_events(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count)
{
    struct params p = {0};
    int64_t deleted = 0;

    params_i32(&p, (int32_t)keep_days);
    params_i64(&p, (int64_t)max);
    TRY(db_execute(cx, db, &EVENTS, &p, &deleted));
    *ret_count = (size_t)deleted;
    return STATUS_OK;
}

struct status
retention_store_usage(struct ctx *cx, struct db *db, int64_t keep_days, size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i32(&p, (int32_t)((keep_days + PERIOD_DAYS - 1) / PERIOD_DAYS));
    TRY(db_query(cx, db, &USAGE, &p, &rows));
    *ret_count = (size_t)row_i64(rows, 0, 0);
    return STATUS_OK;
}
