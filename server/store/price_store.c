#include "store/price_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/plan.h"
#include "store/db.h"
#include "store/read_query.h"

#define COLUMNS                                                                           \
    "r.price_id, r.key, r.plan_id, r.plan_version, v.state <> 'DRAFT', r.name, r.model, " \
    "r.currency, r.interval_unit, r.interval_count, r.meter_id, m.key, r.unit_minor, "    \
    "r.unit_decimal, r.tier_up_to, r.tier_minor, r.tier_decimal, r.tier_flat_minor, "     \
    "r.package_size, r.quantity_min, r.quantity_max, r.tax_behavior, r.metadata, "        \
    "r.stripe_price_id, r.version, r.created_at, r.updated_at, r.archived_at "

#define JOINS                                                                \
    "JOIN plan_versions v ON v.org_id = r.org_id AND v.plan_id = r.plan_id " \
    "AND v.plan_version = r.plan_version "                                   \
    "LEFT JOIN meters m ON m.org_id = r.org_id AND m.meter_id = r.meter_id "

static const struct sql INSERT = {
    "price_insert",
    "INSERT INTO prices (org_id, price_id, key, name, model, currency, interval_unit, "
    "interval_count, meter_id, unit_minor, unit_decimal, tier_up_to, tier_minor, tier_decimal, "
    "tier_flat_minor, package_size, quantity_min, quantity_max, tax_behavior, metadata, plan_id, "
    "plan_version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
    "$12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $23)",
};

static const struct sql LOAD = {
    "price_get",
    "SELECT " COLUMNS "FROM prices r " JOINS "WHERE r.org_id = $1 AND r.price_id = $2",
};

static const struct sql UPDATE = {
    "price_update",
    "UPDATE prices SET key = $3, name = $4, model = $5, currency = $6, interval_unit = $7, "
    "interval_count = $8, meter_id = $9, unit_minor = $10, unit_decimal = $11, tier_up_to = $12, "
    "tier_minor = $13, tier_decimal = $14, tier_flat_minor = $15, package_size = $16, "
    "quantity_min = $17, quantity_max = $18, tax_behavior = $19, metadata = $20, version = $21, "
    "updated_at = $22, archived_at = $23 WHERE org_id = $1 AND price_id = $2",
};

static const struct sql DELETE = {
    "price_delete",
    "DELETE FROM prices WHERE org_id = $1 AND price_id = $2",
};

static const struct sql SAME = {
    "price_same",
    "SELECT price_id FROM prices WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3 "
    "AND price_id <> $4 AND archived_at IS NULL AND ((key = $5 AND $5 <> '') "
    "OR (currency = $6 AND interval_unit = $7 AND interval_count = $8 "
    "AND meter_id IS NOT DISTINCT FROM $9)) ORDER BY created_at, price_id LIMIT 1",
};

static const struct sql COUNT = {
    "price_count",
    "SELECT count(*) FROM prices WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3 "
    "AND archived_at IS NULL",
};

static const struct sql LIST = {
    "price_list",
    "SELECT " COLUMNS "FROM prices r " JOINS "WHERE r.org_id = $1 "
    "AND ($2::uuid IS NULL OR r.plan_id = $2) AND ($3 = 0 OR r.plan_version = $3) "
    "AND ($4 = '' OR r.currency = $4) AND ($5 = 0 OR (r.archived_at IS NULL) = ($5 = 1)) "
    "AND (NOT $6 OR v.state = 'PUBLISHED') "
    "AND ($8::uuid IS NULL OR (r.created_at, r.price_id) < ($7, $8)) "
    "ORDER BY r.created_at DESC, r.price_id DESC LIMIT $9",
};

/* A microsecond apart, so that their order stays. */
static const struct sql COPY = {
    "price_copy",
    "INSERT INTO prices (org_id, price_id, key, name, model, currency, interval_unit, "
    "interval_count, meter_id, unit_minor, unit_decimal, tier_up_to, tier_minor, tier_decimal, "
    "tier_flat_minor, package_size, quantity_min, quantity_max, tax_behavior, metadata, plan_id, "
    "plan_version, created_at, updated_at) SELECT r.org_id, u.new_id, r.key, r.name, r.model, "
    "r.currency, r.interval_unit, r.interval_count, r.meter_id, r.unit_minor, r.unit_decimal, "
    "r.tier_up_to, r.tier_minor, r.tier_decimal, r.tier_flat_minor, r.package_size, "
    "r.quantity_min, "
    "r.quantity_max, r.tax_behavior, r.metadata, r.plan_id, $4, "
    "$5 + u.position * interval '1 microsecond', $5 + u.position * interval '1 microsecond' "
    "FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS u (old_id, new_id, position) "
    "JOIN prices r ON r.org_id = $1 AND r.price_id = u.old_id WHERE r.archived_at IS NULL",
};

static const struct sql MIRRORED = {
    "price_mirrored",
    "UPDATE prices SET stripe_price_id = $3 WHERE org_id = $1 AND price_id = $2",
};

static const struct sql FILL = {
    "price_fill",
    "SELECT " COLUMNS ", u.position FROM unnest($2::uuid[], $3::int[]) WITH ORDINALITY "
    "AS u (plan_id, plan_version, position) JOIN prices r ON r.org_id = $1 "
    "AND r.plan_id = u.plan_id AND r.plan_version = u.plan_version " JOINS
    "ORDER BY u.position, r.created_at, r.price_id",
};
#define FILL_POSITION 28

static void read_tiers(struct ctx *cx, const struct rows *rows, size_t row, struct price *price)
{
    const int64_t *up_to = NULL;
    const int64_t *minor = NULL;
    const int64_t *flat = NULL;
    const char *const *decimal = NULL;
    const size_t count = row_i64_array(cx, rows, row, 14, &up_to);
    struct price_tier *tiers = arena_try_alloc(cx->arena, (count + 1) * sizeof *tiers);

    /* Four arrays of one length: the table says so. */
    if (row_i64_array(cx, rows, row, 15, &minor) != count ||
        row_text_array(cx, rows, row, 16, &decimal) != count ||
        row_i64_array(cx, rows, row, 17, &flat) != count || tiers == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        tiers[i] = (struct price_tier){up_to[i], {minor[i], decimal[i]}, flat[i]};
    }
    price->tiers = tiers;
    price->tier_count = count;
}

static struct price read_price(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct price price = {
        .price_id = row_id(rows, row, 0),
        .key = row_text(cx, rows, row, 1),
        .plan_id = row_id(rows, row, 2),
        .plan_version = (int32_t)row_i64(rows, row, 3),
        .frozen = row_bool(rows, row, 4),
        .name = row_text(cx, rows, row, 5),
        .currency = row_text(cx, rows, row, 7),
        .amount_currency = "",
        .interval_count = (int32_t)row_i64(rows, row, 9),
        .meter_id = row_id(rows, row, 10),
        .meter_key = row_text(cx, rows, row, 11),
        .unit = {row_i64(rows, row, 12), row_text(cx, rows, row, 13)},
        .package_size = row_i64(rows, row, 18),
        .quantity_min = row_i64(rows, row, 19),
        .quantity_max = row_i64(rows, row, 20),
        .metadata = row_text(cx, rows, row, 22),
        .stripe_price_id = row_text(cx, rows, row, 23),
        .version = row_i64(rows, row, 24),
        .created_us = row_time(rows, row, 25),
        .updated_us = row_time(rows, row, 26),
        .archived_us = row_time(rows, row, 27),
    };

    price_model_parse(row_text(cx, rows, row, 6), &price.model);
    billing_interval_parse(row_text(cx, rows, row, 8), &price.interval);
    tax_behavior_parse(row_text(cx, rows, row, 21), &price.tax);
    price.has_unit = !price_tiered(&price);
    read_tiers(cx, rows, row, &price);
    return price;
}

static void params_tiers(struct ctx *cx, const struct price *price, struct params *p)
{
    const size_t count = price->tier_count;
    int64_t *up_to = arena_alloc(cx->arena, (count + 1) * sizeof *up_to);
    int64_t *minor = arena_alloc(cx->arena, (count + 1) * sizeof *minor);
    int64_t *flat = arena_alloc(cx->arena, (count + 1) * sizeof *flat);
    const char **decimal = arena_alloc(cx->arena, (count + 1) * sizeof *decimal);

    for (size_t i = 0; i < count; i++) {
        up_to[i] = price->tiers[i].up_to;
        minor[i] = price->tiers[i].unit.minor;
        decimal[i] = price->tiers[i].unit.decimal;
        flat[i] = price->tiers[i].flat_minor;
    }
    params_i64_array(cx, p, up_to, count);
    params_i64_array(cx, p, minor, count);
    params_text_array(cx, p, decimal, count);
    params_i64_array(cx, p, flat, count);
}

/* The first twenty parameters of INSERT and UPDATE. */
static void params_price(struct ctx *cx, const struct price *price, struct params *p)
{
    params_i64(p, cx->caller.org_id);
    params_id(p, &price->price_id);
    params_text(p, price->key);
    params_text(p, price->name);
    params_text(p, price_model_name(price->model));
    params_text(p, price->currency);
    params_text(p, billing_interval_name(price->interval));
    params_i32(p, price->interval_count);
    params_id(p, &price->meter_id);
    params_i64(p, price->unit.minor);
    params_text(p, price->unit.decimal);
    params_tiers(cx, price, p);
    params_i64(p, price->package_size);
    params_i64(p, price->quantity_min);
    params_i64(p, price->quantity_max);
    params_text(p, tax_behavior_name(price->tax));
    params_json(p, price->metadata);
}

struct status price_store_insert(struct ctx *cx, struct tx *tx, const struct price *price)
{
    struct params p = NO_PARAMS;

    params_price(cx, price, &p);
    params_id(&p, &price->plan_id);
    params_i32(&p, price->plan_version);
    params_time(&p, price->created_us);
    return tx_execute(cx, tx, &INSERT, &p, NULL);
}

struct status price_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct id *price_id,
    struct price *ret_price)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, price_id);
    TRY(read_query(cx, db, tx, &LOAD, &p, &rows));
    if (rows_count(rows) == 0) {
        const char *text = id_text(cx->arena, ID_PRICE, price_id);

        return status_pair(
            cx,
            status_fail(cx, REASON_PRICE_NOT_FOUND, "price \"%s\" does not exist", text),
            "price_id",
            text);
    }
    *ret_price = read_price(cx, rows, 0);
    return STATUS_OK;
}

struct status price_store_update(struct ctx *cx, struct tx *tx, const struct price *price)
{
    struct params p = NO_PARAMS;

    params_price(cx, price, &p);
    params_i64(&p, price->version);
    params_time(&p, price->updated_us);
    params_time_or_null(&p, price->archived_us);
    return tx_execute(cx, tx, &UPDATE, &p, NULL);
}

struct status price_store_delete(struct ctx *cx, struct tx *tx, const struct id *price_id)
{
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, price_id);
    return tx_execute(cx, tx, &DELETE, &p, NULL);
}

struct status price_store_check_unique(struct ctx *cx, struct tx *tx, const struct price *price)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct id same;
    const char *text = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &price->plan_id);
    params_i32(&p, price->plan_version);
    params_id(&p, &price->price_id);
    params_text(&p, price->key);
    params_text(&p, price->currency);
    params_text(&p, billing_interval_name(price->interval));
    params_i32(&p, price->interval_count);
    params_id(&p, &price->meter_id);
    TRY(tx_query(cx, tx, &SAME, &p, &rows));
    if (rows_count(rows) == 0) {
        return STATUS_OK;
    }
    same = row_id(rows, 0, 0);
    text = id_text(cx->arena, ID_PRICE, &same);
    return status_pair(
        cx,
        status_fail(
            cx,
            REASON_PRICE_EXISTS,
            "price \"%s\" of this version has the same key, or the same interval, currency and "
            "meter",
            text),
        "price_id",
        text);
}

struct status price_store_count(
    struct ctx *cx, struct tx *tx, const struct id *plan_id, int32_t number, int64_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, plan_id);
    params_i32(&p, number);
    TRY(tx_query(cx, tx, &COUNT, &p, &rows));
    *ret_count = row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status price_store_list(
    struct ctx *cx,
    struct db *db,
    const struct price_filter *filter,
    const struct price_position *before,
    int32_t max,
    struct price **ret_prices,
    size_t *ret_count)
{
    static const struct id any = {{0}};
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct price *prices = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, filter->plan_id == NULL ? &any : filter->plan_id);
    params_i32(&p, filter->plan_version);
    params_text(&p, filter->currency);
    params_i32(&p, (int32_t)filter->state);
    params_bool(&p, filter->published_only);
    params_time(&p, before->created_us);
    params_id(&p, &before->price_id);
    params_i64(&p, max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    prices = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *prices);
    if (prices == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        prices[i] = read_price(cx, rows, i);
    }
    *ret_prices = prices;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status price_store_copy(
    struct ctx *cx, struct tx *tx, const struct price *prices, size_t count, int32_t to_version)
{
    struct params p = NO_PARAMS;
    struct id *old_ids = arena_alloc(cx->arena, (count + 1) * sizeof *old_ids);
    struct id *new_ids = arena_alloc(cx->arena, (count + 1) * sizeof *new_ids);

    for (size_t i = 0; i < count; i++) {
        old_ids[i] = prices[i].price_id;
        new_ids[i] = id_new(cx->now_us);
    }
    params_i64(&p, cx->caller.org_id);
    params_id_array(cx, &p, old_ids, count);
    params_id_array(cx, &p, new_ids, count);
    params_i32(&p, to_version);
    params_time(&p, cx->now_us);
    return tx_execute(cx, tx, &COPY, &p, NULL);
}

struct status price_store_mirrored(
    struct ctx *cx, struct tx *tx, const struct id *price_id, const char *stripe_price_id)
{
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, price_id);
    params_text(&p, stripe_price_id);
    return tx_execute(cx, tx, &MIRRORED, &p, NULL);
}

struct status price_store_fill(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct params *versions_params,
    struct plan_version *versions,
    size_t count)
{
    AUTO_ROWS rows = NULL;
    struct price *prices = NULL;

    TRY(read_query(cx, db, tx, &FILL, versions_params, &rows));
    prices = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *prices);
    if (prices == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        versions[i].prices = prices;
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        struct plan_version *version = &versions[row_i64(rows, i, FILL_POSITION) - 1];

        prices[i] = read_price(cx, rows, i);
        if (version->price_count++ == 0) {
            version->prices = &prices[i];
        }
    }
    return STATUS_OK;
}
