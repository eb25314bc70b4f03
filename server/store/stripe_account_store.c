#include "store/stripe_account_store.h"

#include "base/ctx.h"
#include "store/db.h"

#define COLUMNS                                                                       \
    "SELECT account_id, charges_enabled, payouts_enabled, details_submitted, "        \
    "requirements_due, disabled_reason, application_fee_bps, fetch_number, version, " \
    "created_at, synced_at, disconnected_at, raw FROM stripe_accounts WHERE org_id = $1"

static const struct sql LOAD = {"stripe_account_load", COLUMNS};

static const struct sql LOCK = {"stripe_account_lock", COLUMNS " FOR UPDATE"};

static const struct sql INSERT = {
    "stripe_account_insert",
    "WITH inserted AS (INSERT INTO stripe_accounts (org_id, account_id) VALUES ($1, $2) "
    "ON CONFLICT (org_id) DO NOTHING RETURNING org_id) "
    "INSERT INTO stripe_account_index (account_id, live, org_id) "
    "SELECT $2, $3, org_id FROM inserted",
};

static const struct sql WRITE = {
    "stripe_account_write",
    "UPDATE stripe_accounts SET charges_enabled = $2, payouts_enabled = $3, "
    "details_submitted = $4, requirements_due = $5, disabled_reason = $6, fetch_number = $7, "
    "raw = coalesce($8, raw), synced_at = now(), "
    "updated_at = CASE WHEN $9 THEN now() ELSE updated_at END, "
    "version = version + CASE WHEN $9 THEN 1 ELSE 0 END WHERE org_id = $1",
};

static const struct sql DISCONNECT = {
    "stripe_account_disconnect",
    "UPDATE stripe_accounts SET disconnected_at = $2, updated_at = now(), version = version + 1, "
    "access_sweep = '00000000-0000-0000-0000-000000000000' WHERE org_id = $1",
};

static struct status read(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    bool *ret_found,
    struct payment_account *ret_account,
    const char **ret_raw)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    TRY(tx != NULL ? tx_query(cx, tx, &LOCK, &p, &rows) : db_query(cx, db, &LOAD, &p, &rows));
    *ret_found = rows_count(rows) == 1;
    if (!*ret_found) {
        return STATUS_OK;
    }
    *ret_account = (struct payment_account){
        .account_id = row_text(cx, rows, 0, 0),
        .charges_enabled = row_bool(rows, 0, 1),
        .payouts_enabled = row_bool(rows, 0, 2),
        .details_submitted = row_bool(rows, 0, 3),
        .country = "",
        .default_currency = "",
        .disabled_reason = row_text(cx, rows, 0, 5),
        .application_fee_bps = (int32_t)row_i64(rows, 0, 6),
        .fetch_number = row_i64(rows, 0, 7),
        .version = row_i64(rows, 0, 8),
        .created_us = row_time(rows, 0, 9),
        .synced_us = row_time(rows, 0, 10),
        .disconnected_us = row_time(rows, 0, 11),
    };
    ret_account->requirement_count = row_text_array(cx, rows, 0, 4, &ret_account->requirements);
    if (ret_raw != NULL) {
        *ret_raw = row_text(cx, rows, 0, 12);
    }
    return STATUS_OK;
}

struct status stripe_account_store_load(
    struct ctx *cx,
    struct db *db,
    bool *ret_found,
    struct payment_account *ret_account,
    const char **ret_raw)
{
    return read(cx, db, NULL, ret_found, ret_account, ret_raw);
}

struct status stripe_account_store_lock(
    struct ctx *cx,
    struct tx *tx,
    bool *ret_found,
    struct payment_account *ret_account,
    const char **ret_raw)
{
    return read(cx, NULL, tx, ret_found, ret_account, ret_raw);
}

struct status stripe_account_store_insert(
    struct ctx *cx, struct tx *tx, const char *account_id, bool *ret_inserted)
{
    struct params p = {0};
    int64_t inserted = 0;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, account_id);
    params_bool(&p, cx->caller.live);
    TRY(tx_execute(cx, tx, &INSERT, &p, &inserted));
    *ret_inserted = inserted == 1;
    return STATUS_OK;
}

struct status stripe_account_store_write(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_account *account,
    const char *raw,
    bool changed)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_bool(&p, account->charges_enabled);
    params_bool(&p, account->payouts_enabled);
    params_bool(&p, account->details_submitted);
    params_text_array(cx, &p, account->requirements, account->requirement_count);
    params_text(&p, account->disabled_reason);
    params_i64(&p, account->fetch_number);
    params_json(&p, raw);
    params_bool(&p, changed);
    return tx_execute(cx, tx, &WRITE, &p, NULL);
}

struct status
stripe_account_store_disconnect(struct ctx *cx, struct tx *tx, int64_t disconnected_us)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_time_or_null(&p, disconnected_us);
    return tx_execute(cx, tx, &DISCONNECT, &p, NULL);
}
