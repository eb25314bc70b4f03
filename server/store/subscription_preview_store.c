#include "store/subscription_preview_store.h"

#include "base/ctx.h"
#include "store/db.h"

static const struct sql INSERT = {
    "subscription_preview_insert",
    "WITH old AS (DELETE FROM subscription_previews WHERE org_id = $1 AND preview_id IN ("
    "SELECT preview_id FROM subscription_previews WHERE org_id = $1 AND subscription_id = $3 "
    "ORDER BY expires_at DESC OFFSET 19)) "
    "INSERT INTO subscription_previews (org_id, preview_id, subscription_id, "
    "subscription_version, request, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
};

static const struct sql LOAD = {
    "subscription_preview_load",
    "SELECT preview_id, subscription_id, subscription_version, request, expires_at "
    "FROM subscription_previews WHERE org_id = $1 AND preview_id = $2 AND subscription_id = $3 "
    "AND expires_at > now()",
};

/* Of all organisations: what has expired is of no use to any of them. */
static const struct sql PRUNE = {
    "subscription_preview_prune",
    "DELETE FROM subscription_previews WHERE (org_id, preview_id) IN ("
    "SELECT org_id, preview_id FROM subscription_previews WHERE expires_at < now() LIMIT $1)",
};

struct status subscription_preview_store_insert(
    struct ctx *cx, struct db *db, const struct subscription_preview_row *row)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &row->preview_id);
    params_id(&p, &row->subscription_id);
    params_i64(&p, row->subscription_version);
    params_json(&p, row->request);
    params_time(&p, row->expires_us);
    return db_execute(cx, db, &INSERT, &p, NULL);
}

struct status subscription_preview_store_expired(struct ctx *cx, const struct id *preview_id)
{
    return status_pair(
        cx,
        status_of(cx, REASON_PREVIEW_EXPIRED),
        "preview_id",
        id_text(cx->arena, ID_PREVIEW, preview_id));
}

struct status subscription_preview_store_load(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const struct id *preview_id,
    struct subscription_preview_row *ret_row)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, preview_id);
    params_id(&p, subscription_id);
    TRY(tx_query(cx, tx, &LOAD, &p, &rows));
    if (rows_count(rows) == 0) {
        return subscription_preview_store_expired(cx, preview_id);
    }
    *ret_row = (struct subscription_preview_row){
        .preview_id = row_id(rows, 0, 0),
        .subscription_id = row_id(rows, 0, 1),
        .subscription_version = row_i64(rows, 0, 2),
        .request = row_text(cx, rows, 0, 3),
        .expires_us = row_time(rows, 0, 4),
    };
    return STATUS_OK;
}

struct status
subscription_preview_store_prune(struct ctx *cx, struct db *db, size_t max, size_t *ret_count)
{
    struct params p = {0};
    int64_t deleted = 0;

    params_i64(&p, (int64_t)max);
    TRY(db_execute(cx, db, &PRUNE, &p, &deleted));
    *ret_count = (size_t)deleted;
    return STATUS_OK;
}
