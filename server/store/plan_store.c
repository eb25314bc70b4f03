#include "store/plan_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/plan.h"
#include "store/db.h"
#include "store/read_query.h"

#define SELECT                                                                       \
    "SELECT p.plan_id, p.key, p.name, p.description, p.addon, p.published_version, " \
    "(SELECT v.plan_version FROM plan_versions v WHERE v.org_id = p.org_id "         \
    "AND v.plan_id = p.plan_id AND v.state <> 'PUBLISHED'), p.latest_version, "      \
    "p.display_order, p.compatible_plan_keys, p.application_fee_bps, p.metadata, "   \
    "p.stripe_product_id, p.version, p.created_at, p.updated_at, p.archived_at FROM plans p "

static const struct sql INSERT = {
    "plan_insert",
    "INSERT INTO plans (org_id, plan_id, key, name, description, addon, latest_version, "
    "display_order, compatible_plan_keys, application_fee_bps, metadata, created_at, updated_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
};

static const struct sql LOAD = {
    "plan_get",
    SELECT "WHERE p.org_id = $1 AND p.plan_id = $2",
};

static const struct sql LOAD_KEY = {
    "plan_get_key",
    SELECT "WHERE p.org_id = $1 AND p.key = $2",
};

static const struct sql LOCK = {
    "plan_lock",
    "SELECT 1 FROM plans WHERE org_id = $1 AND plan_id = $2 FOR NO KEY UPDATE",
};

static const struct sql LOCK_KEY = {
    "plan_lock_key",
    "SELECT 1 FROM plans WHERE org_id = $1 AND key = $2 FOR NO KEY UPDATE",
};

static const struct sql UPDATE = {
    "plan_update",
    "UPDATE plans SET name = $3, description = $4, published_version = nullif($5, 0), "
    "latest_version = $6, display_order = $7, compatible_plan_keys = $8, application_fee_bps = $9, "
    "metadata = $10, stripe_product_id = nullif($11, ''), version = $12, updated_at = $13, "
    "archived_at = $14 WHERE org_id = $1 AND plan_id = $2",
};

static const struct sql LIST = {
    "plan_list",
    SELECT "WHERE p.org_id = $1 AND ($2::boolean IS NULL OR p.addon = $2) "
           "AND ($3 = 0 OR (p.archived_at IS NULL) = ($3 = 1)) "
           "AND (NOT $4 OR p.published_version IS NOT NULL) AND ($5::uuid IS NULL OR p.key > "
           "(SELECT key FROM plans WHERE org_id = $1 AND plan_id = $5)) "
           "ORDER BY p.key LIMIT $6",
};

static const struct sql COUNT = {
    "plan_count",
    "SELECT count(*) FROM plans WHERE org_id = $1 AND archived_at IS NULL",
};

static const struct sql DEFAULT_CURRENCY = {
    "plan_default_currency",
    "SELECT default_currency FROM organizations WHERE org_id = $1",
};

static struct plan read_plan(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct plan plan = {
        .plan_id = row_id(rows, row, 0),
        .key = row_text(cx, rows, row, 1),
        .name = row_text(cx, rows, row, 2),
        .description = row_text(cx, rows, row, 3),
        .addon = row_bool(rows, row, 4),
        .published_version = (int32_t)row_i64(rows, row, 5),
        .draft_version = (int32_t)row_i64(rows, row, 6),
        .latest_version = (int32_t)row_i64(rows, row, 7),
        .display_order = (int32_t)row_i64(rows, row, 8),
        .application_fee_bps = (int32_t)row_i64(rows, row, 10),
        .metadata = row_text(cx, rows, row, 11),
        .stripe_product_id = row_text(cx, rows, row, 12),
        .version = row_i64(rows, row, 13),
        .created_us = row_time(rows, row, 14),
        .updated_us = row_time(rows, row, 15),
        .archived_us = row_time(rows, row, 16),
    };

    plan.compatible_count = row_text_array(cx, rows, row, 9, &plan.compatible_keys);
    return plan;
}

struct status plan_store_insert(struct ctx *cx, struct tx *tx, const struct plan *plan)
{
    struct params p = NO_PARAMS;
    struct status status;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &plan->plan_id);
    params_text(&p, plan->key);
    params_text(&p, plan->name);
    params_text(&p, plan->description);
    params_bool(&p, plan->addon);
    params_i32(&p, plan->latest_version);
    params_i32(&p, plan->display_order);
    params_text_array(cx, &p, plan->compatible_keys, plan->compatible_count);
    params_i32(&p, plan->application_fee_bps);
    params_json(&p, plan->metadata);
    params_time(&p, plan->created_us);
    status = tx_execute(cx, tx, &INSERT, &p, NULL);
    if (db_unique_violation(status, "plans_org_id_key_key")) {
        return status_pair(
            cx,
            status_fail(cx, REASON_PLAN_EXISTS, "plan \"%s\" exists already", plan->key),
            "plan_key",
            plan->key);
    }
    return status;
}

struct status plan_store_missing(struct ctx *cx, const struct plan_ref *ref)
{
    const char *text = ref->plan_id == NULL ? ref->key : id_text(cx->arena, ID_PLAN, ref->plan_id);

    return status_pair(
        cx,
        status_fail(cx, REASON_PLAN_NOT_FOUND, "plan \"%s\" does not exist", text),
        ref->plan_id == NULL ? "plan_key" : "plan_id",
        text);
}

static void params_ref(const struct ctx *cx, const struct plan_ref *ref, struct params *p)
{
    params_i64(p, cx->caller.org_id);
    if (ref->plan_id != NULL) {
        params_id(p, ref->plan_id);
    } else {
        params_text(p, ref->key);
    }
}

struct status plan_store_load(
    struct ctx *cx, struct db *db, struct tx *tx, const struct plan_ref *ref, struct plan *ret_plan)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_ref(cx, ref, &p);
    TRY(read_query(cx, db, tx, ref->plan_id != NULL ? &LOAD : &LOAD_KEY, &p, &rows));
    if (rows_count(rows) == 0) {
        return plan_store_missing(cx, ref);
    }
    *ret_plan = read_plan(cx, rows, 0);
    return STATUS_OK;
}

/* In two statements: one that waits for the lock would read the versions as they were before. */
struct status
plan_store_lock(struct ctx *cx, struct tx *tx, const struct plan_ref *ref, struct plan *ret_plan)
{
    struct params p = NO_PARAMS;

    params_ref(cx, ref, &p);
    TRY(tx_execute(cx, tx, ref->plan_id != NULL ? &LOCK : &LOCK_KEY, &p, NULL));
    return plan_store_load(cx, NULL, tx, ref, ret_plan);
}

struct status plan_store_update(struct ctx *cx, struct tx *tx, const struct plan *plan)
{
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &plan->plan_id);
    params_text(&p, plan->name);
    params_text(&p, plan->description);
    params_i32(&p, plan->published_version);
    params_i32(&p, plan->latest_version);
    params_i32(&p, plan->display_order);
    params_text_array(cx, &p, plan->compatible_keys, plan->compatible_count);
    params_i32(&p, plan->application_fee_bps);
    params_json(&p, plan->metadata);
    params_text(&p, plan->stripe_product_id);
    params_i64(&p, plan->version);
    params_time(&p, plan->updated_us);
    params_time_or_null(&p, plan->archived_us);
    return tx_execute(cx, tx, &UPDATE, &p, NULL);
}

/* NULL: any kind. */
static void params_kind(struct params *p, const struct plan_filter *filter)
{
    params_bool(p, filter->addon);
    if (!filter->has_kind) {
        p->values[p->count - 1] = NULL;
    }
}

struct status plan_store_list(
    struct ctx *cx,
    struct db *db,
    const struct plan_filter *filter,
    const struct id *after,
    int32_t max,
    struct plan **ret_plans,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct plan *plans = NULL;

    params_i64(&p, cx->caller.org_id);
    params_kind(&p, filter);
    params_i32(&p, (int32_t)filter->state);
    params_bool(&p, filter->published_only);
    params_id(&p, after);
    params_i64(&p, max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    plans = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *plans);
    if (plans == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        plans[i] = read_plan(cx, rows, i);
    }
    *ret_plans = plans;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status plan_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    TRY(tx_query(cx, tx, &COUNT, &p, &rows));
    *ret_count = row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status plan_store_default_currency(struct ctx *cx, struct tx *tx, const char **ret_currency)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    TRY(tx_query(cx, tx, &DEFAULT_CURRENCY, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_of(cx, REASON_ORGANIZATION_NOT_FOUND);
    }
    *ret_currency = row_text(cx, rows, 0, 0);
    return STATUS_OK;
}
