#include "store/tax_id_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"
#include "store/read_query.h"

#define COLUMNS "stripe_tax_id, customer_id, kind, value, verification, created_at "

static const struct sql LIST = {
    "tax_id_list",
    "SELECT " COLUMNS "FROM tax_ids WHERE org_id = $1 AND customer_id = $2 "
    "AND deleted_at IS NULL ORDER BY created_at, stripe_tax_id LIMIT $3",
};

static const struct sql LOAD = {
    "tax_id_get",
    "SELECT " COLUMNS "FROM tax_ids WHERE org_id = $1 AND customer_id = $2 "
    "AND deleted_at IS NULL AND stripe_tax_id = $3",
};

/* A deleted one stays deleted. */
static const struct sql WRITE = {
    "tax_id_write",
    "INSERT INTO tax_ids AS t (org_id, stripe_tax_id, customer_id, kind, value, verification, "
    "fetch_number, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
    "ON CONFLICT (org_id, stripe_tax_id) DO UPDATE SET verification = excluded.verification, "
    "fetch_number = excluded.fetch_number, updated_at = now() "
    "WHERE t.fetch_number < excluded.fetch_number AND t.deleted_at IS NULL",
};

static const struct sql DELETE = {
    "tax_id_delete",
    "UPDATE tax_ids SET deleted_at = coalesce(deleted_at, now()), fetch_number = $3, "
    "updated_at = now() WHERE org_id = $1 AND stripe_tax_id = $2 AND fetch_number < $3",
};

static const struct sql DELETE_ALL = {
    "tax_id_delete_all",
    "UPDATE tax_ids SET deleted_at = now(), fetch_number = greatest(fetch_number, $3), "
    "updated_at = now() WHERE org_id = $1 AND customer_id = $2 AND deleted_at IS NULL",
};

static struct tax_id read_tax_id(struct ctx *cx, const struct rows *rows, size_t row)
{
    return (struct tax_id){
        .tax_id_id = row_text(cx, rows, row, 0),
        .customer_id = row_id(rows, row, 1),
        .kind = row_text(cx, rows, row, 2),
        .value = row_text(cx, rows, row, 3),
        .verification = tax_id_verification_parse(row_text(cx, rows, row, 4)),
        .created_us = row_time(rows, row, 5),
    };
}

struct status tax_id_store_list(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct id *customer_id,
    struct tax_id **ret_tax_ids,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};
    struct tax_id *tax_ids = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_i64(&p, TAX_IDS_MAX);
    TRY(read_query(cx, db, tx, &LIST, &p, &rows));
    tax_ids = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *tax_ids);
    if (tax_ids == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        tax_ids[i] = read_tax_id(cx, rows, i);
    }
    *ret_tax_ids = tax_ids;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status tax_id_store_load(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const char *tax_id_id,
    struct tax_id *ret_tax_id)
{
    AUTO_ROWS rows = NULL;
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_text(&p, tax_id_id);
    TRY(tx_query(cx, tx, &LOAD, &p, &rows));
    if (rows_count(rows) == 1) {
        *ret_tax_id = read_tax_id(cx, rows, 0);
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_fail(cx, REASON_TAX_ID_NOT_FOUND, "tax id \"%s\" does not exist", tax_id_id),
        "tax_id_id",
        tax_id_id);
}

struct status
tax_id_store_write(struct ctx *cx, struct tx *tx, const struct tax_id *tax_id, int64_t fetch_number)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text(&p, tax_id->tax_id_id);
    params_id(&p, &tax_id->customer_id);
    params_text(&p, tax_id->kind);
    params_text(&p, tax_id->value);
    params_text(&p, tax_id_verification_name(tax_id->verification));
    params_i64(&p, fetch_number);
    params_time(&p, tax_id->created_us);
    return tx_execute(cx, tx, &WRITE, &p, NULL);
}

struct status
tax_id_store_delete(struct ctx *cx, struct tx *tx, const char *tax_id_id, int64_t fetch_number)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_text(&p, tax_id_id);
    params_i64(&p, fetch_number);
    return tx_execute(cx, tx, &DELETE, &p, NULL);
}

struct status tax_id_store_delete_all(
    struct ctx *cx, struct tx *tx, const struct id *customer_id, int64_t fetch_number)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, customer_id);
    params_i64(&p, fetch_number);
    return tx_execute(cx, tx, &DELETE_ALL, &p, NULL);
}
