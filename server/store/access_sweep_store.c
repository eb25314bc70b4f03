#include "store/access_sweep_store.h"

#include "base/ctx.h"
#include "store/db.h"

/* Where a walk begins; as a parameter the zero id is NULL. */
#define START "'00000000-0000-0000-0000-000000000000'::uuid"

/* Over all organisations. */
static const struct sql NEXT = {
    "access_sweep_next",
    "SELECT org_id, access_sweep FROM stripe_accounts WHERE access_sweep IS NOT NULL "
    "ORDER BY org_id LIMIT 1"};

static const struct sql CUSTOMERS = {
    "access_sweep_customers",
    "SELECT DISTINCT customer_id FROM subscriptions WHERE org_id = $1 "
    "AND customer_id > coalesce($2, " START ") AND status NOT IN ('FAILED', 'INCOMPLETE_EXPIRED', "
    "'CANCELED') ORDER BY customer_id LIMIT $3"};

static const struct sql DONE = {
    "access_sweep_done",
    "UPDATE stripe_accounts SET access_sweep = $3 WHERE org_id = $1 "
    "AND access_sweep = coalesce($2, " START ")"};

struct status access_sweep_store_next(struct ctx *cx, struct db *db, struct access_sweep *ret_sweep)
{
    struct params none = {0};
    struct params p = {0};
    AUTO_ROWS next = NULL;
    AUTO_ROWS customers = NULL;

    *ret_sweep = (struct access_sweep){.count = 0};
    TRY(db_query(cx, db, &NEXT, &none, &next));
    if (rows_count(next) == 0) {
        return STATUS_OK;
    }
    ret_sweep->org_id = row_i64(next, 0, 0);
    ret_sweep->after = row_id(next, 0, 1);
    params_i64(&p, ret_sweep->org_id);
    params_id(&p, &ret_sweep->after);
    params_i64(&p, ACCESS_SWEEP_MAX);
    TRY(db_query(cx, db, &CUSTOMERS, &p, &customers));
    for (size_t i = 0; i < rows_count(customers); i++) {
        ret_sweep->customers[ret_sweep->count++] = row_id(customers, i, 0);
    }
    return STATUS_OK;
}

struct status
access_sweep_store_done(struct ctx *cx, struct db *db, const struct access_sweep *sweep)
{
    const bool ends = sweep->count < ACCESS_SWEEP_MAX;
    const struct id nobody = {0};
    struct params p = {0};

    params_i64(&p, sweep->org_id);
    params_id(&p, &sweep->after);
    params_id(&p, ends ? &nobody : &sweep->customers[sweep->count - 1]);
    return db_execute(cx, db, &DONE, &p, NULL);
}
