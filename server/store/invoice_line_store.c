#include "store/invoice_line_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

static const struct sql REMOVE = {
    "invoice_lines_remove",
    "DELETE FROM invoice_lines WHERE org_id = $1 AND invoice_id = $2",
};

static const struct sql ADD = {
    "invoice_lines_add",
    "INSERT INTO invoice_lines (org_id, invoice_id, position, line_id, stripe_line_id, "
    "stripe_price_id, stripe_item_id, description, quantity, amount_minor, discount_minor, "
    "tax_minor, proration, period_start_at, period_end_at) "
    "SELECT $1, $2, l.position, l.line_id, l.stripe_line_id, l.stripe_price_id, "
    "l.stripe_item_id, l.description, l.quantity, l.amount_minor, l.discount_minor, l.tax_minor, "
    "l.proration <> 0, l.period_start_at, l.period_end_at "
    "FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], "
    "$9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::timestamptz[], "
    "$14::timestamptz[]) WITH ORDINALITY AS l (line_id, stripe_line_id, stripe_price_id, "
    "stripe_item_id, description, quantity, amount_minor, discount_minor, tax_minor, proration, "
    "period_start_at, period_end_at, position)",
};

static const struct sql LOAD = {
    "invoice_lines_load",
    "SELECT l.line_id, p.price_id, (SELECT t.item_id FROM subscription_items t "
    "WHERE t.org_id = l.org_id AND t.subscription_id = i.subscription_id "
    "AND t.stripe_item_id = l.stripe_item_id LIMIT 1), "
    "l.stripe_line_id, l.stripe_price_id, l.stripe_item_id, l.description, l.quantity, "
    "l.amount_minor, l.discount_minor, l.tax_minor, l.proration, l.period_start_at, "
    "l.period_end_at FROM invoice_lines l "
    "JOIN invoices i ON i.org_id = l.org_id AND i.invoice_id = l.invoice_id "
    "LEFT JOIN prices p ON p.org_id = l.org_id AND p.stripe_price_id = l.stripe_price_id "
    "AND l.stripe_price_id <> '' "
    "WHERE l.org_id = $1 AND l.invoice_id = $2 ORDER BY l.position",
};

/* The columns of a batch, as unnest takes them. */
struct columns {
    struct id ids[INVOICE_LINES_MAX];
    const char *texts[4][INVOICE_LINES_MAX];
    int64_t numbers[5][INVOICE_LINES_MAX];
    int64_t times[2][INVOICE_LINES_MAX];
};

static void fill(struct columns *columns, const struct invoice_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct invoice_line *line = &lines[i];

        columns->ids[i] = id_derived(line->stripe_line_id, strlen(line->stripe_line_id));
        columns->texts[0][i] = line->stripe_line_id;
        columns->texts[1][i] = line->stripe_price_id;
        columns->texts[2][i] = line->stripe_item_id;
        columns->texts[3][i] = line->description;
        columns->numbers[0][i] = line->quantity;
        columns->numbers[1][i] = line->amount_minor;
        columns->numbers[2][i] = line->discount_minor;
        columns->numbers[3][i] = line->tax_minor;
        columns->numbers[4][i] = line->proration ? 1 : 0;
        columns->times[0][i] = line->period_start_us;
        columns->times[1][i] = line->period_end_us;
    }
}

struct status invoice_line_store_write(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invoice_id,
    const struct invoice_line *lines,
    size_t count)
{
    struct params p = {0};
    struct columns *columns = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, invoice_id);
    TRY(tx_queue_execute(cx, tx, &REMOVE, &p));
    if (count == 0) {
        return STATUS_OK;
    }
    count = count < INVOICE_LINES_MAX ? count : INVOICE_LINES_MAX;
    columns = arena_try_alloc(cx->arena, sizeof *columns);
    if (columns == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    fill(columns, lines, count);
    params_id_array(cx, &p, columns->ids, count);
    for (size_t i = 0; i < ARRAY_LEN(columns->texts); i++) {
        params_text_array(cx, &p, columns->texts[i], count);
    }
    for (size_t i = 0; i < ARRAY_LEN(columns->numbers); i++) {
        params_i64_array(cx, &p, columns->numbers[i], count);
    }
    for (size_t i = 0; i < ARRAY_LEN(columns->times); i++) {
        params_time_array(cx, &p, columns->times[i], count);
    }
    return tx_execute(cx, tx, &ADD, &p, NULL);
}

struct status invoice_line_store_load(
    struct ctx *cx,
    struct db *db,
    const struct id *invoice_id,
    struct invoice_line **ret_lines,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct invoice_line *lines = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, invoice_id);
    TRY(db_query(cx, db, &LOAD, &p, &rows));
    lines = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *lines);
    if (lines == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        lines[i] = (struct invoice_line){
            .line_id = row_id(rows, i, 0),
            .price_id = row_id(rows, i, 1),
            .item_id = row_id(rows, i, 2),
            .stripe_line_id = row_text(cx, rows, i, 3),
            .stripe_price_id = row_text(cx, rows, i, 4),
            .stripe_item_id = row_text(cx, rows, i, 5),
            .description = row_text(cx, rows, i, 6),
            .quantity = row_i64(rows, i, 7),
            .amount_minor = row_i64(rows, i, 8),
            .discount_minor = row_i64(rows, i, 9),
            .tax_minor = row_i64(rows, i, 10),
            .proration = row_bool(rows, i, 11),
            .period_start_us = row_time(rows, i, 12),
            .period_end_us = row_time(rows, i, 13),
        };
    }
    *ret_lines = lines;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}
