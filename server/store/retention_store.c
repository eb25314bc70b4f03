#include "store/retention_store.h"

#include "base/id.h"
#include "base/wallclock.h"
#include "store/db.h"

#define PERIOD_DAYS 35

/* Over all organisations: the log has one order of time. */
static const struct sql EVENTS = {
    "retention_events",
    "DELETE FROM event_log WHERE (org_id, seq) IN (SELECT org_id, seq FROM event_log"
    " WHERE created_at < now() - make_interval(days => $1) LIMIT $2)"};

/* Over all organisations, one after the other: ids rise with time, so the old entries of each are
 * at the beginning of the primary key, and no index of times is needed. */
static const struct sql AUDIT = {
    "retention_audit",
    "DELETE FROM audit_log WHERE (org_id, audit_id) IN (SELECT a.org_id, a.audit_id"
    " FROM organizations o CROSS JOIN LATERAL (SELECT org_id, audit_id FROM audit_log"
    " WHERE org_id = o.org_id AND audit_id < $1 LIMIT $2) a LIMIT $2)"};

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

struct status retention_store_audit(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count)
{
    const struct id first_kept = id_first(cx->now_us - keep_days * US_PER_DAY);
    struct params p = {0};
    int64_t deleted = 0;

    params_id(&p, &first_kept);
    params_i64(&p, (int64_t)max);
    TRY(db_execute(cx, db, &AUDIT, &p, &deleted));
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
