#include "store/entitlement_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "domain/subscription.h"
#include "store/db.h"

/* With archived features: who has one keeps it. */
#define LOAD_COLUMNS                                                                              \
    "SELECT c.customer_id, c.customer_no, c.external_id, c.archived_at IS NOT NULL,"              \
    " c.blocked_at IS NOT NULL, coalesce(h.state_version, 0),"                                    \
    " coalesce(h.uncovered, 'NO_ACTIVE_SUBSCRIPTION'), h.subscription_id, f.key, s.feature_id,"   \
    " f.kind, coalesce(m.meter_no, 0), s.access, s.access_until, s.unlimited, s.limit_value,"     \
    " s.reset_period, s.anchor_at, s.period_start_at, s.period_end_at, s.overage_policy,"         \
    " s.overage_max, s.config_value, s.provenance, s.subscription_id, s.plan_id, s.plan_version," \
    " s.grant_id, f.unreachable_policy = 'ALLOW'"                                                 \
    " FROM customers c"                                                                           \
    " LEFT JOIN entitlement_heads h ON h.org_id = c.org_id AND h.customer_id = c.customer_id"     \
    " LEFT JOIN entitlement_snapshots s ON s.org_id = c.org_id AND s.customer_id = c.customer_id" \
    " LEFT JOIN features f ON f.org_id = s.org_id AND f.feature_id = s.feature_id"                \
    " LEFT JOIN meters m ON m.org_id = f.org_id AND m.meter_id = f.meter_id"

static const struct sql LOAD = {
    "entitlement_load", LOAD_COLUMNS " WHERE c.org_id = $1 AND c.customer_id = $2"};

static const struct sql LOAD_EXTERNAL = {
    "entitlement_load_external", LOAD_COLUMNS " WHERE c.org_id = $1 AND c.external_id = $2"};

static const struct sql USAGE = {
    "entitlement_usage",
    "SELECT used, reserved FROM usage_counters WHERE org_id = $1 AND customer_no = $2"
    " AND meter_no = $3 AND reset_period = $4 AND window_at = $5"};

static const struct sql LOCK_HEAD = {
    "entitlement_lock",
    "INSERT INTO entitlement_heads (org_id, customer_id) VALUES ($1, $2)"
    " ON CONFLICT (org_id, customer_id) DO UPDATE SET updated_at = now()"};

/* Subscriptions that have not ended, each with the features of its plan version; one row without a
 * feature when the plan has none, so that its state is known all the same. */
static const struct sql SOURCES = {
    "entitlement_sources",
    "SELECT u.subscription_id, u.status, u.past_due_since, u.period_start_at, u.period_end_at,"
    " coalesce(u.anchor_at, u.created_at), u.quantity, u.plan_id, u.plan_version, p.addon,"
    " u.trial_end_at, pf.feature_id, f.kind, coalesce(m.meter_no, 0), pf.unlimited, pf.limit_value,"
    " pf.limit_basis, pf.reset_period, pf.window_anchor, pf.overage_policy, pf.overage_max,"
    " pf.config_value, pf.trial_max, o.payment_grace_seconds, a.disconnected_at"
    " FROM subscriptions u"
    " JOIN organizations o ON o.org_id = u.org_id"
    " LEFT JOIN stripe_accounts a ON a.org_id = u.org_id AND u.source = 'stripe'"
    " JOIN plans p ON p.org_id = u.org_id AND p.plan_id = u.plan_id"
    " LEFT JOIN plan_features pf ON pf.org_id = u.org_id AND pf.plan_id = u.plan_id"
    " AND pf.plan_version = u.plan_version"
    " LEFT JOIN features f ON f.org_id = pf.org_id AND f.feature_id = pf.feature_id"
    " LEFT JOIN meters m ON m.org_id = f.org_id AND m.meter_id = f.meter_id"
    " WHERE u.org_id = $1 AND u.customer_id = $2"
    " AND u.status NOT IN ('FAILED', 'INCOMPLETE_EXPIRED', 'CANCELED')"
    " ORDER BY p.addon, u.created_at, u.subscription_id"};

static const struct sql CLEAR = {
    "entitlement_clear",
    "DELETE FROM entitlement_snapshots WHERE org_id = $1 AND customer_id = $2"};

static const struct sql INSERT = {
    "entitlement_insert",
    "INSERT INTO entitlement_snapshots (org_id, customer_id, feature_id, access, access_until,"
    " unlimited, limit_value, reset_period, anchor_at, period_start_at, period_end_at,"
    " overage_policy, overage_max, config_value, provenance, subscription_id, plan_id, "
    "plan_version,"
    " grant_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
    " $18, $19)"};

static const struct sql RAISE = {
    "entitlement_raise",
    "UPDATE entitlement_heads SET state_version = state_version + 1, uncovered = $3,"
    " subscription_id = $4, updated_at = now() WHERE org_id = $1 AND customer_id = $2"
    " RETURNING state_version"};

/* Over all organisations. */
static const struct sql EXPIRED = {
    "entitlement_expired",
    "SELECT DISTINCT org_id, customer_id FROM entitlement_snapshots"
    " WHERE access_until <= $2 AND access IN ('GRANTED', 'GRACE', 'NOT_YET_ACTIVE') LIMIT $1"};

static const char *const kinds[] = {
    [FEATURE_BOOLEAN] = "BOOLEAN",
    [FEATURE_CONFIG] = "CONFIG",
    [FEATURE_METERED] = "METERED",
    [FEATURE_CREDITS] = "CREDITS",
};
static const char *const overages[] = {
    [0] = "", [OVERAGE_DENY] = "DENY", [OVERAGE_ALLOW] = "ALLOW", [OVERAGE_BILL] = "BILL"};
static const char *const provenances[] = {
    [PROVENANCE_NONE] = "",
    [PROVENANCE_PLAN] = "PLAN",
    [PROVENANCE_ADDON] = "ADDON",
    [PROVENANCE_TRIAL] = "TRIAL",
    [PROVENANCE_GRANT] = "GRANT",
    [PROVENANCE_OVERRIDE] = "OVERRIDE",
    [PROVENANCE_CREDIT_POOL] = "CREDIT_POOL",
    [PROVENANCE_BLOCK] = "BLOCK",
};

static size_t index_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] != NULL && strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return 0;
}

#define INDEX_OF(names, name) index_of((names), ARRAY_LEN(names), (name))

static void
load_row(struct ctx *cx, const struct rows *rows, size_t row, struct entitlement_row *ret_row)
{
    struct entitlement *e = &ret_row->entitlement;

    *ret_row = (struct entitlement_row){.feature_key = row_text(cx, rows, row, 8)};
    e->feature_id = row_id(rows, row, 9);
    e->kind = (enum feature_kind)INDEX_OF(kinds, row_text(cx, rows, row, 10));
    e->meter_no = (int32_t)row_i64(rows, row, 11);
    e->access = DECISION_PAYMENT_INCOMPLETE;
    decision_reason_parse(row_text(cx, rows, row, 12), &e->access);
    e->access_until_us = row_time(rows, row, 13);
    e->unlimited = row_bool(rows, row, 14);
    e->limit = row_i64(rows, row, 15);
    reset_period_parse(row_text(cx, rows, row, 16), &e->window.reset);
    e->window.anchor_us = row_time(rows, row, 17);
    e->window.period_start_us = row_time(rows, row, 18);
    e->window.period_end_us = row_time(rows, row, 19);
    e->overage_policy = (enum overage_policy)INDEX_OF(overages, row_text(cx, rows, row, 20));
    e->overage_max = row_i64(rows, row, 21);
    e->config = row_text(cx, rows, row, 22);
    e->provenance = (enum provenance_kind)INDEX_OF(provenances, row_text(cx, rows, row, 23));
    e->subscription_id = row_id(rows, row, 24);
    e->plan_id = row_id(rows, row, 25);
    e->plan_version = (int32_t)row_i64(rows, row, 26);
    e->grant_id = row_id(rows, row, 27);
    ret_row->unreachable = row_bool(rows, row, 28) ? UNREACHABLE_ALLOW : UNREACHABLE_DENY;
}

struct status entitlement_store_load(
    struct ctx *cx,
    struct db *db,
    const struct id *customer_id,
    const char *external_id,
    struct customer_entitlements *ret_loaded)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    if (customer_id != NULL) {
        params_id(&p, customer_id);
    } else {
        params_text(&p, external_id);
    }
    TRY(db_query(cx, db, customer_id != NULL ? &LOAD : &LOAD_EXTERNAL, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_of(cx, REASON_CUSTOMER_NOT_FOUND);
    }
    *ret_loaded = (struct customer_entitlements){
        .customer_id = row_id(rows, 0, 0),
        .customer_no = row_i64(rows, 0, 1),
        .external_id = row_text(cx, rows, 0, 2),
        .state_version = row_i64(rows, 0, 5),
        .customer =
            {
                .archived = row_bool(rows, 0, 3),
                .blocked = row_bool(rows, 0, 4),
                .uncovered = DECISION_NO_ACTIVE_SUBSCRIPTION,
                .subscription_id = row_id(rows, 0, 7),
            },
        .rows = arena_alloc(cx->arena, rows_count(rows) * sizeof(struct entitlement_row)),
    };
    decision_reason_parse(row_text(cx, rows, 0, 6), &ret_loaded->customer.uncovered);
    for (size_t i = 0; i < rows_count(rows) && ret_loaded->rows != NULL; i++) {
        if (!row_is_null(rows, i, 8)) {
            load_row(cx, rows, i, &ret_loaded->rows[ret_loaded->count++]);
        }
    }
    return STATUS_OK;
}

struct status entitlement_store_usage(
    struct ctx *cx,
    struct db *db,
    int64_t customer_no,
    const struct entitlement *entitlement,
    const struct window *window,
    struct entitlement_usage *ret_usage)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_i64(&p, customer_no);
    params_i32(&p, entitlement->meter_no);
    params_i32(&p, (int32_t)entitlement->window.reset);
    params_time(&p, window->start_us);
    TRY(db_query(cx, db, &USAGE, &p, &rows));
    *ret_usage = (struct entitlement_usage){0, 0};
    if (rows_count(rows) == 1) {
        ret_usage->used = row_i64(rows, 0, 0);
        ret_usage->reserved = row_i64(rows, 0, 1);
    }
    return STATUS_OK;
}

static int64_t multiplied(int64_t limit, int64_t quantity)
{
    int64_t result = 0;

    return __builtin_mul_overflow(limit, quantity, &result) ? INT64_MAX : result;
}

static void source_limit(
    struct ctx *cx, const struct rows *rows, size_t row, bool trialing, struct entitlement *e)
{
    e->unlimited = row_bool(rows, row, 14);
    e->limit = row_i64(rows, row, 15);
    if (trialing && !row_is_null(rows, row, 22)) {
        e->limit = row_i64(rows, row, 22);
        e->unlimited = false;
    }
    if (strcmp(row_text(cx, rows, row, 16), "SEAT") == 0) {
        e->limit = multiplied(e->limit, row_i64(rows, row, 6));
    }
    reset_period_parse(row_text(cx, rows, row, 17), &e->window.reset);
    if (strcmp(row_text(cx, rows, row, 18), "CALENDAR") != 0) {
        e->window.anchor_us = row_time(rows, row, 5);
    }
    e->window.period_start_us = row_time(rows, row, 3);
    e->window.period_end_us = row_time(rows, row, 4);
    e->overage_policy = (enum overage_policy)INDEX_OF(overages, row_text(cx, rows, row, 19));
    e->overage_max = row_i64(rows, row, 20);
    e->config = row_text(cx, rows, row, 21);
}

static enum decision_reason source_access(
    const struct ctx *cx,
    const struct rows *rows,
    size_t row,
    enum subscription_status status,
    int64_t *ret_until_us)
{
    const int64_t grace_us = row_i64(rows, row, 23) * US_PER_SECOND;
    int64_t since_us = row_time(rows, row, 2);

    status = subscription_status_disconnected(status, row_time(rows, row, 24), &since_us);
    return subscription_access(status, since_us, grace_us, cx->now_us, ret_until_us);
}

/* The state of the customer as a whole: the best of the subscriptions decides what is said about a
 * feature that none of them covers. */
static void source_uncovered(
    struct entitlement_customer *customer, enum decision_reason access, struct id subscription_id)
{
    const bool allows = access == DECISION_GRANTED || access == DECISION_GRANTED_GRACE;
    const bool best_so_far = customer->uncovered == DECISION_FEATURE_NOT_IN_PLAN;

    if (allows && !best_so_far) {
        customer->uncovered = DECISION_FEATURE_NOT_IN_PLAN;
        customer->subscription_id = subscription_id;
    } else if (!allows && customer->uncovered == DECISION_NO_ACTIVE_SUBSCRIPTION) {
        customer->uncovered = access;
        customer->subscription_id = subscription_id;
    }
}

static void read_sources(
    struct ctx *cx,
    const struct rows *rows,
    struct entitlement *sources,
    size_t *ret_count,
    struct entitlement_customer *ret_customer)
{
    for (size_t i = 0; i < rows_count(rows); i++) {
        enum subscription_status status = SUBSCRIPTION_PENDING;
        struct entitlement *e = &sources[*ret_count];

        *e = (struct entitlement){.subscription_id = row_id(rows, i, 0)};
        subscription_status_parse(row_text(cx, rows, i, 1), &status);
        e->access = source_access(cx, rows, i, status, &e->access_until_us);
        source_uncovered(ret_customer, e->access, e->subscription_id);
        if (row_is_null(rows, i, 11)) {
            continue;
        }
        e->plan_id = row_id(rows, i, 7);
        e->plan_version = (int32_t)row_i64(rows, i, 8);
        e->provenance = row_bool(rows, i, 9)              ? PROVENANCE_ADDON
                        : status == SUBSCRIPTION_TRIALING ? PROVENANCE_TRIAL
                                                          : PROVENANCE_PLAN;
        e->feature_id = row_id(rows, i, 11);
        e->kind = (enum feature_kind)INDEX_OF(kinds, row_text(cx, rows, i, 12));
        e->meter_no = (int32_t)row_i64(rows, i, 13);
        source_limit(cx, rows, i, status == SUBSCRIPTION_TRIALING, e);
        (*ret_count)++;
    }
}

struct status entitlement_store_sources(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    struct entitlement **ret_sources,
    size_t *ret_count,
    struct entitlement_customer *ret_customer)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    TRY(tx_execute(cx, tx, &LOCK_HEAD, &p, NULL));
    TRY(tx_query(cx, tx, &SOURCES, &p, &rows));
    *ret_count = 0;
    *ret_customer = (struct entitlement_customer){.uncovered = DECISION_NO_ACTIVE_SUBSCRIPTION};
    *ret_sources = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof **ret_sources);
    if (*ret_sources == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    read_sources(cx, rows, *ret_sources, ret_count, ret_customer);
    return STATUS_OK;
}

static struct status
insert_row(struct ctx *cx, struct tx *tx, const struct id *customer_id, const struct entitlement *e)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_id(&p, &e->feature_id);
    params_text(&p, decision_reason_name(e->access));
    params_time_or_null(&p, e->access_until_us);
    params_bool(&p, e->unlimited);
    params_i64(&p, e->limit);
    params_text(&p, reset_period_name(e->window.reset));
    params_time_or_null(&p, e->window.anchor_us);
    params_time_or_null(&p, e->window.period_start_us);
    params_time_or_null(&p, e->window.period_end_us);
    params_text(&p, overages[e->overage_policy == 0 ? OVERAGE_DENY : e->overage_policy]);
    params_i64(&p, e->overage_max);
    params_json(&p, e->config == NULL || e->config[0] == '\0' ? NULL : e->config);
    params_text(&p, provenances[e->provenance]);
    params_id(&p, &e->subscription_id);
    params_id(&p, &e->plan_id);
    params_i64_or_null(&p, e->plan_version, e->plan_version != 0);
    params_id(&p, &e->grant_id);
    return tx_execute(cx, tx, &INSERT, &p, NULL);
}

struct status entitlement_store_replace(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const struct entitlement_customer *customer,
    const struct entitlement *rows,
    size_t count,
    int64_t *ret_state_version)
{
    struct params key = {0};
    struct params head = {0};
    AUTO_ROWS raised = NULL;

    params_i64(&key, cx->caller.org_id);
    params_id(&key, customer_id);
    TRY(tx_execute(cx, tx, &CLEAR, &key, NULL));
    for (size_t i = 0; i < count; i++) {
        TRY(insert_row(cx, tx, customer_id, &rows[i]));
    }
    params_i64(&head, cx->caller.org_id);
    params_id(&head, customer_id);
    params_text(&head, decision_reason_name(customer->uncovered));
    params_id(&head, &customer->subscription_id);
    TRY(tx_query(cx, tx, &RAISE, &head, &raised));
    if (rows_count(raised) != 1) {
        return status_of(cx, REASON_CUSTOMER_NOT_FOUND);
    }
    *ret_state_version = row_i64(raised, 0, 0);
    return STATUS_OK;
}

struct status entitlement_store_expired(
    struct ctx *cx,
    struct db *db,
    size_t max,
    struct expired_access *ret_expired,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, (int64_t)max);
    params_time(&p, cx->now_us); /* the clock that the rebuild goes by, too */
    TRY(db_query(cx, db, &EXPIRED, &p, &rows));
    for (size_t i = 0; i < rows_count(rows); i++) {
        ret_expired[i] = (struct expired_access){row_i64(rows, i, 0), row_id(rows, i, 1)};
    }
    *ret_count = rows_count(rows);
    return STATUS_OK;
}
