#include "services/entitlement_upkeep.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "services/entitlements.h"
#include "services/services.h"
#include "store/access_sweep_store.h"
#include "store/db.h"
#include "store/entitlement_store.h"

struct rebuild_work {
    struct services *services;
    struct id customer_id;
};

static struct status rebuild_one(struct ctx *cx, struct tx *tx, void *user)
{
    struct rebuild_work *work = user;

    return entitlements_rebuild(cx, work->services, tx, &work->customer_id);
}

struct status
entitlements_expire(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    struct expired_access *expired = arena_alloc(cx->arena, max * sizeof *expired);
    struct status failed = STATUS_OK;
    size_t due = 0;

    *ret_count = 0;
    if (expired == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    TRY(entitlement_store_expired(cx, services->db, max, expired, &due));
    for (size_t i = 0; i < due && !ctx_gone(cx); i++) {
        struct rebuild_work work = {services, expired[i].customer_id};
        struct status status;

        cx->caller.org_id = expired[i].org_id;
        status = tx_run(cx, services->db, rebuild_one, &work);
        /* One that cannot be rebuilt does not keep the others waiting. */
        if (status.code == CODE_OK) {
            (*ret_count)++;
        } else {
            failed = status;
        }
    }
    cx->caller.org_id = 0;
    return *ret_count > 0 ? STATUS_OK : failed;
}

struct status entitlements_sweep(struct ctx *cx, struct services *services, size_t *ret_count)
{
    struct access_sweep sweep;
    struct status status = STATUS_OK;

    *ret_count = 0;
    TRY(access_sweep_store_next(cx, services->db, &sweep));
    if (sweep.org_id == 0) {
        return STATUS_OK;
    }
    cx->caller.org_id = sweep.org_id;
    for (size_t i = 0; i < sweep.count && status.code == CODE_OK && !ctx_gone(cx); i++) {
        struct rebuild_work work = {services, sweep.customers[i]};

        status = tx_run(cx, services->db, rebuild_one, &work);
        *ret_count += status.code == CODE_OK;
    }
    cx->caller.org_id = 0;
    if (status.code != CODE_OK || *ret_count < sweep.count) {
        return status; /* the same once more */
    }
    return access_sweep_store_done(cx, services->db, &sweep);
}
