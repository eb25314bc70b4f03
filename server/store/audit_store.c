#include "store/audit_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/organization.h"
#include "store/db.h"

static const struct sql insert_sql = {
    "audit_insert",
    "INSERT INTO audit_log (org_id, audit_id, actor, actor_name, both_modes, action, target_type, "
    "target, detail, request_id, created_at) "
    "SELECT $1, $2, $3, CASE WHEN $4 <> '' THEN $4 ELSE coalesce("
    "(SELECT name FROM api_keys WHERE org_id = $12 AND key_id = $13), '') END, "
    "$5, $6, $7, $8, $9, $10, $11",
};

static const struct sql list_sql = {
    "audit_list",
    "SELECT org_id, audit_id, actor, actor_name, both_modes, action, target_type, target, detail, "
    "request_id, created_at FROM audit_log "
    "WHERE (org_id = $1 OR (org_id = $2 AND both_modes)) "
    "AND ($3 = '' OR actor = $3) AND ($4 = '' OR target = $4) AND ($5 = '' OR action = $5) "
    "AND ($6::timestamptz IS NULL OR created_at >= $6) "
    "AND ($7::timestamptz IS NULL OR created_at < $7) "
    "AND ($8::uuid IS NULL OR audit_id < $8) ORDER BY audit_id DESC LIMIT $9",
};

struct status audit_store_insert(struct ctx *cx, struct tx *tx, const struct audit_entry *entry)
{
    struct params p = NO_PARAMS;

    params_i64(&p, entry->org_id);
    params_id(&p, &entry->audit_id);
    params_text(&p, entry->actor);
    params_text(&p, entry->actor_name);
    params_bool(&p, entry->both_modes);
    params_text(&p, entry->action);
    params_text(&p, entry->target_type);
    params_text(&p, entry->target);
    params_json(&p, entry->changes);
    params_text(&p, entry->request_id);
    params_time(&p, entry->created_us);
    params_i64(&p, cx->caller.org_id);
    params_id(&p, &cx->caller.key_id);
    return tx_execute(cx, tx, &insert_sql, &p, NULL);
}

static struct audit_entry read_entry(struct ctx *cx, const struct rows *rows, size_t row)
{
    return (struct audit_entry){
        .org_id = row_i64(rows, row, 0),
        .audit_id = row_id(rows, row, 1),
        .actor = row_text(cx, rows, row, 2),
        .actor_name = row_text(cx, rows, row, 3),
        .both_modes = row_bool(rows, row, 4),
        .action = row_text(cx, rows, row, 5),
        .target_type = row_text(cx, rows, row, 6),
        .target = row_text(cx, rows, row, 7),
        .changes = row_text(cx, rows, row, 8),
        .request_id = row_text(cx, rows, row, 9),
        .created_us = row_time(rows, row, 10),
    };
}

struct status audit_store_list(
    struct ctx *cx,
    struct db *db,
    const struct audit_filter *filter,
    const struct id *before,
    int32_t max,
    struct audit_entry **ret_entries,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct audit_entry *entries = NULL;

    params_i64(&p, cx->caller.org_id);
    params_i64(&p, organization_live_number(cx->caller.org_id));
    params_text(&p, filter->actor);
    params_text(&p, filter->target);
    params_text(&p, filter->action);
    params_time_or_null(&p, filter->from_us);
    params_time_or_null(&p, filter->until_us);
    params_id(&p, before);
    params_i64(&p, max);
    TRY(db_query(cx, db, &list_sql, &p, &rows));
    entries = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *entries);
    if (entries == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        entries[i] = read_entry(cx, rows, i);
    }
    *ret_entries = entries;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}
