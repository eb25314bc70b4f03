#include "store/plan_version_store.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/plan.h"
#include "store/db.h"
#include "store/plan_feature_store.h"
#include "store/price_store.h"
#include "store/read_query.h"

static const struct sql INSERT = {
    "plan_version_insert",
    "INSERT INTO plan_versions (org_id, plan_id, plan_version, state, trial_days, "
    "trial_needs_payment_method, note, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
};

/* One row for each version asked for, absent ones with a NULL state. */
static const struct sql LOAD = {
    "plan_version_get",
    "SELECT v.state, coalesce(p.published_version > v.plan_version, false), v.trial_days, "
    "v.trial_needs_payment_method, v.note, v.version, v.created_at, v.published_at, "
    "(SELECT count(*) FROM subscriptions s WHERE s.org_id = $1 AND s.plan_id = v.plan_id "
    "AND s.plan_version = v.plan_version "
    "AND s.status NOT IN ('FAILED', 'INCOMPLETE_EXPIRED', 'CANCELED')) "
    "FROM unnest($2::uuid[], $3::int[]) WITH ORDINALITY AS u (plan_id, plan_version, position) "
    "LEFT JOIN plan_versions v ON v.org_id = $1 AND v.plan_id = u.plan_id "
    "AND v.plan_version = u.plan_version "
    "LEFT JOIN plans p ON p.org_id = $1 AND p.plan_id = u.plan_id ORDER BY u.position",
};

static const struct sql NUMBERS = {
    "plan_version_numbers",
    "SELECT plan_version FROM plan_versions WHERE org_id = $1 AND plan_id = $2 "
    "AND ($3 = 0 OR plan_version < $3) ORDER BY plan_version DESC LIMIT $4",
};

static const struct sql UPDATE = {
    "plan_version_update",
    "UPDATE plan_versions SET trial_days = $4, trial_needs_payment_method = $5, note = $6, "
    "state = $7, published_at = $8, version = $9 "
    "WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3",
};

static const struct sql DELETE_FEATURES = {
    "plan_version_delete_features",
    "DELETE FROM plan_features WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3",
};

static const struct sql DELETE_PRICES = {
    "plan_version_delete_prices",
    "DELETE FROM prices WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3",
};

static const struct sql DELETE = {
    "plan_version_delete",
    "DELETE FROM plan_versions WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3",
};

static void
params_version(const struct ctx *cx, const struct id *plan_id, int32_t number, struct params *p)
{
    params_i64(p, cx->caller.org_id);
    params_id(p, plan_id);
    params_i32(p, number);
}

struct status
plan_version_store_insert(struct ctx *cx, struct tx *tx, const struct plan_version *version)
{
    struct params p = NO_PARAMS;

    params_version(cx, &version->plan_id, version->number, &p);
    params_text(&p, plan_version_state_name(version->state));
    params_i32(&p, version->trial_days);
    params_bool(&p, version->trial_needs_payment_method);
    params_text(&p, version->note);
    params_time(&p, version->created_us);
    return tx_execute(cx, tx, &INSERT, &p, NULL);
}

static struct plan_version read_version(
    struct ctx *cx, const struct rows *rows, size_t row, const struct plan_version_ref *ref)
{
    struct plan_version version = {
        .plan_id = ref->plan_id,
        .number = ref->number,
        .superseded = row_bool(rows, row, 1),
        .trial_days = (int32_t)row_i64(rows, row, 2),
        .trial_needs_payment_method = row_bool(rows, row, 3),
        .note = row_text(cx, rows, row, 4),
        .version = row_i64(rows, row, 5),
        .created_us = row_time(rows, row, 6),
        .published_us = row_time(rows, row, 7),
        .subscriber_count = row_i64(rows, row, 8),
    };

    if (row_is_null(rows, row, 0)) {
        version.number = 0;
    }
    plan_version_state_parse(row_text(cx, rows, row, 0), &version.state);
    return version;
}

struct status plan_version_store_load_many(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct plan_version_ref *refs,
    size_t count,
    struct plan_version **ret_versions)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct plan_version *versions = arena_try_alloc(cx->arena, (count + 1) * sizeof *versions);
    struct id *plan_ids = arena_try_alloc(cx->arena, (count + 1) * sizeof *plan_ids);
    int32_t *numbers = arena_try_alloc(cx->arena, (count + 1) * sizeof *numbers);

    if (versions == NULL || plan_ids == NULL || numbers == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        plan_ids[i] = refs[i].plan_id;
        numbers[i] = refs[i].number;
    }
    params_i64(&p, cx->caller.org_id);
    params_id_array(cx, &p, plan_ids, count);
    params_i32_array(cx, &p, numbers, count);
    TRY(read_query(cx, db, tx, &LOAD, &p, &rows));
    for (size_t i = 0; i < rows_count(rows) && i < count; i++) {
        versions[i] = read_version(cx, rows, i, &refs[i]);
    }
    TRY(plan_feature_store_fill(cx, db, tx, &p, versions, count));
    TRY(price_store_fill(cx, db, tx, &p, versions, count));
    *ret_versions = versions;
    return STATUS_OK;
}

struct status plan_version_store_missing(struct ctx *cx, const struct plan_version_ref *ref)
{
    return plan_version_pairs(
        cx,
        status_fail(
            cx, REASON_PLAN_VERSION_NOT_FOUND, "the plan has no version %" PRId32, ref->number),
        &ref->plan_id,
        ref->number);
}

struct status plan_version_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct plan_version_ref *ref,
    struct plan_version *ret_version)
{
    struct plan_version *versions = NULL;

    TRY(plan_version_store_load_many(cx, db, tx, ref, 1, &versions));
    if (versions == NULL || versions[0].number == 0) {
        return plan_version_store_missing(cx, ref);
    }
    *ret_version = versions[0];
    return STATUS_OK;
}

struct status plan_version_store_numbers(
    struct ctx *cx,
    struct db *db,
    const struct id *plan_id,
    int32_t before,
    int32_t max,
    int32_t **ret_numbers,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    int32_t *numbers = NULL;

    params_version(cx, plan_id, before, &p);
    params_i64(&p, max);
    TRY(db_query(cx, db, &NUMBERS, &p, &rows));
    numbers = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *numbers);
    if (numbers == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        numbers[i] = (int32_t)row_i64(rows, i, 0);
    }
    *ret_numbers = numbers;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status
plan_version_store_update(struct ctx *cx, struct tx *tx, const struct plan_version *version)
{
    struct params p = NO_PARAMS;

    params_version(cx, &version->plan_id, version->number, &p);
    params_i32(&p, version->trial_days);
    params_bool(&p, version->trial_needs_payment_method);
    params_text(&p, version->note);
    params_text(&p, plan_version_state_name(version->state));
    params_time_or_null(&p, version->published_us);
    params_i64(&p, version->version);
    return tx_execute(cx, tx, &UPDATE, &p, NULL);
}

struct status
plan_version_store_delete(struct ctx *cx, struct tx *tx, const struct plan_version_ref *ref)
{
    struct params p = NO_PARAMS;

    params_version(cx, &ref->plan_id, ref->number, &p);
    TRY(tx_execute(cx, tx, &DELETE_FEATURES, &p, NULL));
    TRY(tx_execute(cx, tx, &DELETE_PRICES, &p, NULL));
    return tx_execute(cx, tx, &DELETE, &p, NULL);
}
