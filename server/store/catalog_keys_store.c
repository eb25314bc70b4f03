#include "store/catalog_keys_store.h"

#include <string.h>

#include "base/arena.h"
#include "domain/catalog_keys.h"
#include "store/db.h"

/* One statement, so that both halves are of one snapshot. Of the archived meters the oldest are
 * left out when there are too many. */
static const struct sql LOAD = {
    "catalog_keys_load",
    "(SELECT f.key, f.kind, f.feature_id, coalesce(m.meter_no, 0), true, false,"
    " f.unreachable_policy = 'ALLOW' FROM features f"
    " LEFT JOIN meters m ON m.org_id = f.org_id AND m.meter_id = f.meter_id"
    " WHERE f.org_id = $1 AND f.archived_at IS NULL LIMIT $2)"
    " UNION ALL"
    " (SELECT key, aggregation, meter_id, meter_no, false, archived_at IS NOT NULL, false"
    " FROM meters"
    " WHERE org_id = $1 ORDER BY archived_at DESC NULLS FIRST LIMIT $2)"};

static enum feature_kind kind_of(const char *name)
{
    return strcmp(name, "METERED") == 0   ? FEATURE_METERED
           : strcmp(name, "CREDITS") == 0 ? FEATURE_CREDITS
           : strcmp(name, "CONFIG") == 0  ? FEATURE_CONFIG
                                          : FEATURE_BOOLEAN;
}

static void
read_row(struct ctx *cx, const struct rows *rows, size_t row, struct catalog_keys *ret_keys)
{
    const char *key = row_text(cx, rows, row, 0);
    const char *kind = row_text(cx, rows, row, 1);

    if (row_bool(rows, row, 4)) {
        ret_keys->features[ret_keys->feature_count++] = (struct catalog_feature){
            .key = key,
            .feature_id = row_id(rows, row, 2),
            .kind = kind_of(kind),
            .meter_no = (int32_t)row_i64(rows, row, 3),
            .unreachable = row_bool(rows, row, 6) ? UNREACHABLE_ALLOW : UNREACHABLE_DENY,
        };
        return;
    }
    ret_keys->meters[ret_keys->meter_count] = (struct catalog_meter){
        .key = key,
        .meter_no = (int32_t)row_i64(rows, row, 3),
        .aggregation = METER_SUM,
        .archived = row_bool(rows, row, 5),
    };
    meter_aggregation_parse(kind, &ret_keys->meters[ret_keys->meter_count++].aggregation);
}

struct status catalog_keys_store_load(struct ctx *cx, struct db *db, struct catalog_keys *ret_keys)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    size_t n = 0;

    params_i64(&p, cx->caller.org_id);
    params_i64(&p, CATALOG_KEYS_MAX);
    TRY(db_query(cx, db, &LOAD, &p, &rows));
    n = rows_count(rows) + 1;
    *ret_keys = (struct catalog_keys){
        .features = arena_try_alloc(cx->arena, n * sizeof(struct catalog_feature)),
        .meters = arena_try_alloc(cx->arena, n * sizeof(struct catalog_meter)),
    };
    if (ret_keys->features == NULL || ret_keys->meters == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i + 1 < n; i++) {
        read_row(cx, rows, i, ret_keys);
    }
    /* Whoever asked puts it into a cache: nothing that is half read may get there. */
    return arena_failed(cx->arena) ? status_of(cx, REASON_REQUEST_TOO_COSTLY) : STATUS_OK;
}
