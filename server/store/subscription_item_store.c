#include "store/subscription_item_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

static const struct sql LOAD = {
    "subscription_item_load",
    "SELECT i.subscription_id, i.item_id, i.price_id, i.plan_id, p.key, i.plan_version, "
    "i.quantity, m.key, p.addon, i.stripe_item_id, r.stripe_price_id, i.period_start_at, "
    "i.period_end_at "
    "FROM subscription_items i "
    "JOIN plans p ON p.org_id = i.org_id AND p.plan_id = i.plan_id "
    "JOIN prices r ON r.org_id = i.org_id AND r.price_id = i.price_id "
    "LEFT JOIN meters m ON m.org_id = r.org_id AND m.meter_id = r.meter_id "
    "WHERE i.org_id = $1 AND i.subscription_id = ANY ($2) AND i.removed_at IS NULL "
    "ORDER BY i.subscription_id, p.addon, m.key IS NOT NULL, i.created_at, i.item_id",
};

static const struct sql UPSERT = {
    "subscription_item_upsert",
    "INSERT INTO subscription_items (org_id, subscription_id, item_id, plan_id, plan_version, "
    "price_id, quantity, stripe_item_id, period_start_at, period_end_at) "
    "SELECT $1, $2, n.item_id, r.plan_id, r.plan_version, n.price_id, n.quantity, "
    "n.stripe_item_id, n.period_start_at, n.period_end_at "
    "FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::timestamptz[], "
    "$8::timestamptz[]) "
    "AS n (item_id, price_id, quantity, stripe_item_id, period_start_at, period_end_at) "
    "JOIN prices r ON r.org_id = $1 AND r.price_id = n.price_id ORDER BY n.item_id "
    "ON CONFLICT (org_id, subscription_id, item_id) DO UPDATE SET plan_id = excluded.plan_id, "
    "plan_version = excluded.plan_version, price_id = excluded.price_id, "
    "quantity = excluded.quantity, period_start_at = excluded.period_start_at, "
    "period_end_at = excluded.period_end_at, removed_at = NULL",
};

static const struct sql REMOVE_OTHERS = {
    "subscription_item_remove_others",
    "UPDATE subscription_items SET removed_at = now() WHERE org_id = $1 AND subscription_id = $2 "
    "AND removed_at IS NULL AND item_id <> ALL ($3)",
};

static void
read_item(struct ctx *cx, const struct rows *rows, size_t row, struct subscription_item *ret_item)
{
    *ret_item = (struct subscription_item){
        .item_id = row_id(rows, row, 1),
        .price_id = row_id(rows, row, 2),
        .plan_id = row_id(rows, row, 3),
        .plan_key = row_text(cx, rows, row, 4),
        .plan_version = (int32_t)row_i64(rows, row, 5),
        .quantity = row_i64(rows, row, 6),
        .meter_key = row_text(cx, rows, row, 7),
        .addon = row_bool(rows, row, 8),
    };
    if (ret_item->meter_key[0] != '\0') {
        ret_item->quantity = 0;
    }
}

struct status subscription_item_store_load(
    struct ctx *cx, struct db *db, struct tx *tx, struct subscription *subscriptions, size_t count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct subscription_item *items = NULL;
    struct id *ids = arena_try_alloc(cx->arena, (count + 1) * sizeof *ids);

    if (ids == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        ids[i] = subscriptions[i].subscription_id;
    }
    params_i64(&p, cx->caller.org_id);
    params_id_array(cx, &p, ids, count);
    TRY(tx != NULL ? tx_query(cx, tx, &LOAD, &p, &rows) : db_query(cx, db, &LOAD, &p, &rows));
    items = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *items);
    if (items == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t row = 0; row < rows_count(rows); row++) {
        read_item(cx, rows, row, &items[row]);
    }
    for (size_t i = 0; i < count; i++) {
        subscriptions[i].items = items;
        subscriptions[i].item_count = 0;
        for (size_t row = 0; row < rows_count(rows); row++) {
            const struct id owner = row_id(rows, row, 0);

            if (id_equal(&owner, &ids[i]) && subscriptions[i].item_count++ == 0) {
                subscriptions[i].items = &items[row];
            }
        }
    }
    return STATUS_OK;
}

struct status subscription_item_store_rows(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    struct subscription_item_row *ret_rows,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id_array(cx, &p, subscription_id, 1);
    TRY(tx_query(cx, tx, &LOAD, &p, &rows));
    *ret_count =
        rows_count(rows) < SUBSCRIPTION_ITEMS_MAX ? rows_count(rows) : SUBSCRIPTION_ITEMS_MAX;
    for (size_t i = 0; i < *ret_count; i++) {
        ret_rows[i] = (struct subscription_item_row){
            .stripe_item_id = row_text(cx, rows, i, 9),
            .stripe_price_id = row_text(cx, rows, i, 10),
            .period_start_us = row_time(rows, i, 11),
            .period_end_us = row_time(rows, i, 12),
        };
        read_item(cx, rows, i, &ret_rows[i].item);
    }
    return STATUS_OK;
}

struct status subscription_item_store_replace(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const struct subscription_item_row *items,
    size_t count)
{
    struct params p = {0};
    struct params others = {0};
    struct id item_ids[SUBSCRIPTION_ITEMS_MAX];
    struct id price_ids[SUBSCRIPTION_ITEMS_MAX];
    int64_t quantities[SUBSCRIPTION_ITEMS_MAX];
    const char *stripe_ids[SUBSCRIPTION_ITEMS_MAX];
    int64_t starts[SUBSCRIPTION_ITEMS_MAX];
    int64_t ends[SUBSCRIPTION_ITEMS_MAX];

    count = count < SUBSCRIPTION_ITEMS_MAX ? count : SUBSCRIPTION_ITEMS_MAX;
    for (size_t i = 0; i < count; i++) {
        item_ids[i] = items[i].item.item_id;
        price_ids[i] = items[i].item.price_id;
        quantities[i] = items[i].item.quantity;
        stripe_ids[i] = items[i].stripe_item_id;
        starts[i] = items[i].period_start_us;
        ends[i] = items[i].period_end_us;
    }
    params_i64(&p, cx->caller.org_id);
    params_id(&p, subscription_id);
    params_id_array(cx, &p, item_ids, count);
    params_id_array(cx, &p, price_ids, count);
    params_i64_array(cx, &p, quantities, count);
    params_text_array(cx, &p, stripe_ids, count);
    params_time_array(cx, &p, starts, count);
    params_time_array(cx, &p, ends, count);
    TRY(tx_queue_execute(cx, tx, &UPSERT, &p));
    params_i64(&others, cx->caller.org_id);
    params_id(&others, subscription_id);
    params_id_array(cx, &others, item_ids, count);
    return tx_queue_execute(cx, tx, &REMOVE_OTHERS, &others);
}
