#include "store/offer_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"
#include "store/db.h"

static const struct sql PLAN = {
    "offer_plan",
    "SELECT p.plan_id, p.key, p.addon, p.archived_at IS NOT NULL, p.application_fee_bps, "
    "coalesce(nullif($4, 0), p.published_version), v.state, v.trial_days, "
    "v.trial_needs_payment_method, o.default_currency::text FROM plans p "
    "JOIN organizations o ON o.org_id = p.org_id "
    "LEFT JOIN plan_versions v ON v.org_id = p.org_id AND v.plan_id = p.plan_id "
    "AND v.plan_version = coalesce(nullif($4, 0), p.published_version) "
    "WHERE p.org_id = $1 AND ($2::uuid IS NULL OR p.plan_id = $2) "
    "AND ($3::text IS NULL OR p.key = $3)",
};

static const struct sql PRICES = {
    "offer_prices",
    "SELECT price_id, currency::text, interval_unit, interval_count, meter_id IS NOT NULL, "
    "quantity_min, quantity_max, archived_at IS NOT NULL, stripe_price_id FROM prices "
    "WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3 "
    "ORDER BY meter_id IS NOT NULL, created_at, price_id",
};

static const struct sql MATCH = {
    "offer_match",
    "SELECT n.position, r.price_id, r.plan_id, p.key, r.plan_version, r.currency::text, "
    "r.meter_id IS NOT NULL, p.addon FROM unnest($2::text[]) WITH ORDINALITY AS n (id, position) "
    "JOIN prices r ON r.org_id = $1 AND r.stripe_price_id = n.id "
    "JOIN plans p ON p.org_id = r.org_id AND p.plan_id = r.plan_id",
};

static const struct sql PLAN_EXISTS = {
    "offer_plan_exists",
    "SELECT EXISTS (SELECT FROM plans WHERE org_id = $1 AND plan_id = $2)",
};

static struct status
plan_failure(struct ctx *cx, enum reason reason, const char *plan, int32_t plan_version)
{
    struct status status;

    if (reason != REASON_PLAN_VERSION_NOT_FOUND) {
        status = status_fail(
            cx,
            reason,
            reason == REASON_PLAN_NOT_FOUND ? "plan \"%s\" does not exist"
                                            : "plan \"%s\" has no version on sale",
            plan);
        return status_pair(cx, status, "plan_id", plan);
    }
    status = status_fail(cx, reason, "plan \"%s\" has no version %d", plan, (int)plan_version);
    status = status_pair(cx, status, "plan_id", plan);
    return status_pair(cx, status, "version", arena_printf(cx->arena, "%d", (int)plan_version));
}

static struct status load_prices(struct ctx *cx, struct tx *tx, struct offer *offer)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct offer_price *prices = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &offer->plan_id);
    params_i32(&p, offer->plan_version);
    TRY(tx_query(cx, tx, &PRICES, &p, &rows));
    prices = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *prices);
    if (prices == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        prices[i] = (struct offer_price){
            .price_id = row_id(rows, i, 0),
            .currency = row_text(cx, rows, i, 1),
            .interval_count = row_i64(rows, i, 3),
            .metered = row_bool(rows, i, 4),
            .quantity_min = row_i64(rows, i, 5),
            .quantity_max = row_i64(rows, i, 6),
            .archived = row_bool(rows, i, 7),
            .stripe_price_id = row_text(cx, rows, i, 8),
        };
        billing_interval_parse(row_text(cx, rows, i, 2), &prices[i].interval);
    }
    offer->prices = prices;
    offer->price_count = rows_count(rows);
    return STATUS_OK;
}

struct status offer_store_load(
    struct ctx *cx,
    struct tx *tx,
    const struct id *plan_id,
    const char *plan_key,
    int32_t plan_version,
    struct offer *ret_offer)
{
    static const struct id none = {{0}};
    const char *plan = plan_id != NULL ? id_text(cx->arena, ID_PLAN, plan_id) : plan_key;
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, plan_id != NULL ? plan_id : &none);
    params_text(&p, plan_id != NULL ? NULL : plan_key);
    params_i32(&p, plan_version);
    TRY(tx_query(cx, tx, &PLAN, &p, &rows));
    if (rows_count(rows) == 0) {
        return plan_failure(cx, REASON_PLAN_NOT_FOUND, plan, 0);
    }
    if (row_is_null(rows, 0, 5)) {
        return plan_failure(cx, REASON_PLAN_NOT_PUBLISHED, plan, 0);
    }
    if (row_is_null(rows, 0, 6)) {
        return plan_failure(cx, REASON_PLAN_VERSION_NOT_FOUND, plan, plan_version);
    }
    *ret_offer = (struct offer){
        .plan_id = row_id(rows, 0, 0),
        .plan_key = row_text(cx, rows, 0, 1),
        .addon = row_bool(rows, 0, 2),
        .archived = row_bool(rows, 0, 3),
        .application_fee_bps = (int32_t)row_i64(rows, 0, 4),
        .plan_version = (int32_t)row_i64(rows, 0, 5),
        .published = str_equal(str_of(row_text(cx, rows, 0, 6)), STR("PUBLISHED")),
        .trial_days = (int32_t)row_i64(rows, 0, 7),
        .trial_needs_payment_method = row_bool(rows, 0, 8),
        .default_currency = row_text(cx, rows, 0, 9),
    };
    return load_prices(cx, tx, ret_offer);
}

struct status offer_store_match(
    struct ctx *cx,
    struct tx *tx,
    const char *const *stripe_price_ids,
    size_t count,
    struct offer_match *ret_matches)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text_array(cx, &p, stripe_price_ids, count);
    TRY(tx_query(cx, tx, &MATCH, &p, &rows));
    for (size_t i = 0; i < count; i++) {
        ret_matches[i] = (struct offer_match){.plan_key = "", .currency = ""};
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        ret_matches[row_i64(rows, i, 0) - 1] = (struct offer_match){
            .known = true,
            .price_id = row_id(rows, i, 1),
            .plan_id = row_id(rows, i, 2),
            .plan_key = row_text(cx, rows, i, 3),
            .plan_version = (int32_t)row_i64(rows, i, 4),
            .currency = row_text(cx, rows, i, 5),
            .metered = row_bool(rows, i, 6),
            .addon = row_bool(rows, i, 7),
        };
    }
    return STATUS_OK;
}

struct status
offer_store_plan_exists(struct ctx *cx, struct db *db, const struct id *plan_id, bool *ret_exists)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, plan_id);
    TRY(db_query(cx, db, &PLAN_EXISTS, &p, &rows));
    *ret_exists = row_bool(rows, 0, 0);
    return STATUS_OK;
}
