#include "store/organization_store.h"

#include "base/ctx.h"
#include "store/db.h"
#include "store/row_words.h"

#define COLUMNS                                                                \
    "org_id, organization_id, live, name, slug, country, default_currency, "   \
    "time_zone, support_email, payment_grace_seconds, max_staleness_seconds, " \
    "array_to_string(allowed_origins, ' '), metadata, version, created_at, updated_at "

static const struct sql reserve_sql = {
    "organization_reserve",
    "SELECT 2 * nextval('organization_numbers')",
};

static const struct sql insert_sql = {
    "organization_insert",
    "WITH side AS (SELECT $13::bigint AS org_id, true AS live UNION ALL SELECT $13 + 1, false), "
    "made AS (INSERT INTO organizations (org_id, organization_id, live, name, slug, country, "
    "default_currency, time_zone, support_email, payment_grace_seconds, max_staleness_seconds, "
    "allowed_origins, metadata, created_at, updated_at) "
    "SELECT org_id, $1, live, $2, $3, nullif($4, ''), $5, $6, $7, $8, $9, $10, $11, $12, $12 "
    "FROM side RETURNING org_id) "
    "INSERT INTO event_heads (org_id) SELECT org_id FROM made",
};

static const struct sql load_sql = {
    "organization_load",
    "SELECT " COLUMNS "FROM organizations WHERE org_id = $1",
};

static const struct sql lock_sql = {
    "organization_lock",
    "SELECT " COLUMNS "FROM organizations WHERE org_id = $1 FOR NO KEY UPDATE",
};

static const struct sql update_sql = {
    "organization_update",
    "UPDATE organizations SET name = $3, country = nullif($4, ''), default_currency = $5, "
    "time_zone = $6, support_email = $7, payment_grace_seconds = $8, max_staleness_seconds = $9, "
    "allowed_origins = $10, metadata = $11, version = $12, updated_at = $13 "
    "WHERE org_id IN ($1, $2)",
};

static const struct sql find_sql = {
    "organization_find",
    "SELECT " COLUMNS "FROM organizations WHERE organization_id = $1 AND live = $2",
};

static const struct sql find_slug_sql = {
    "organization_find_slug",
    "SELECT " COLUMNS "FROM organizations WHERE slug = $1 AND live = $2",
};

static const struct sql slug_taken_sql = {
    "organization_slug_taken",
    "SELECT EXISTS (SELECT FROM organizations WHERE slug = $1)",
};

static const struct sql zone_known_sql = {
    "organization_zone_known",
    "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)",
};

static struct status
read_one(struct ctx *cx, const struct rows *rows, struct organization *ret_organization)
{
    if (rows_count(rows) == 0) {
        return status_of(cx, REASON_ORGANIZATION_NOT_FOUND);
    }
    *ret_organization = (struct organization){
        .org_id = row_i64(rows, 0, 0),
        .organization_id = row_id(rows, 0, 1),
        .live = row_bool(rows, 0, 2),
        .name = row_text(cx, rows, 0, 3),
        .slug = row_text(cx, rows, 0, 4),
        .country = row_text(cx, rows, 0, 5),
        .default_currency = row_text(cx, rows, 0, 6),
        .time_zone = row_text(cx, rows, 0, 7),
        .support_email = row_text(cx, rows, 0, 8),
        .payment_grace_seconds = row_i64(rows, 0, 9),
        .max_staleness_seconds = row_i64(rows, 0, 10),
        .metadata = row_text(cx, rows, 0, 12),
        .version = row_i64(rows, 0, 13),
        .created_us = row_time(rows, 0, 14),
        .updated_us = row_time(rows, 0, 15),
    };
    ret_organization->origins = row_words(cx, rows, 0, 11, &ret_organization->origin_count);
    return STATUS_OK;
}

struct status organization_store_reserve(struct ctx *cx, struct db *db, int64_t *ret_live_number)
{
    AUTO_ROWS rows = NULL;

    TRY(db_query(cx, db, &reserve_sql, &NO_PARAMS, &rows));
    *ret_live_number = row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status
organization_store_insert(struct ctx *cx, struct tx *tx, const struct organization *organization)
{
    struct params p = NO_PARAMS;
    struct status status;

    params_id(&p, &organization->organization_id);
    params_text(&p, organization->name);
    params_text(&p, organization->slug);
    params_text(&p, organization->country);
    params_text(&p, organization->default_currency);
    params_text(&p, organization->time_zone);
    params_text(&p, organization->support_email);
    params_i64(&p, organization->payment_grace_seconds);
    params_i64(&p, organization->max_staleness_seconds);
    params_text_array(cx, &p, organization->origins, organization->origin_count);
    params_json(&p, organization->metadata);
    params_time(&p, organization->created_us);
    params_i64(&p, organization->org_id);
    status = tx_execute(cx, tx, &insert_sql, &p, NULL);
    if (db_unique_violation(status, "organizations_slug_live_key")) {
        return status_pair(
            cx,
            status_fail(
                cx,
                REASON_ORGANIZATION_EXISTS,
                "organization \"%s\" exists already",
                organization->slug),
            "slug",
            organization->slug);
    }
    return status;
}

struct status
organization_store_load(struct ctx *cx, struct db *db, struct organization *ret_organization)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    TRY(db_query(cx, db, &load_sql, &p, &rows));
    return read_one(cx, rows, ret_organization);
}

struct status
organization_store_lock(struct ctx *cx, struct tx *tx, struct organization *ret_organization)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, organization_live_number(cx->caller.org_id));
    TRY(tx_query(cx, tx, &lock_sql, &p, &rows));
    return read_one(cx, rows, ret_organization);
}

struct status
organization_store_update(struct ctx *cx, struct tx *tx, const struct organization *organization)
{
    struct params p = NO_PARAMS;

    params_i64(&p, organization->org_id);
    params_i64(&p, organization->org_id ^ 1);
    params_text(&p, organization->name);
    params_text(&p, organization->country);
    params_text(&p, organization->default_currency);
    params_text(&p, organization->time_zone);
    params_text(&p, organization->support_email);
    params_i64(&p, organization->payment_grace_seconds);
    params_i64(&p, organization->max_staleness_seconds);
    params_text_array(cx, &p, organization->origins, organization->origin_count);
    params_json(&p, organization->metadata);
    params_i64(&p, organization->version);
    params_time(&p, organization->updated_us);
    return tx_execute(cx, tx, &update_sql, &p, NULL);
}

struct status organization_store_find(
    struct ctx *cx,
    struct db *db,
    const struct id *organization_id,
    bool live,
    struct organization *ret_organization)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_id(&p, organization_id);
    params_bool(&p, live);
    TRY(db_query(cx, db, &find_sql, &p, &rows));
    return read_one(cx, rows, ret_organization);
}

struct status organization_store_find_slug(
    struct ctx *cx,
    struct db *db,
    const char *slug,
    bool live,
    struct organization *ret_organization)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_text(&p, slug);
    params_bool(&p, live);
    TRY(db_query(cx, db, &find_slug_sql, &p, &rows));
    return read_one(cx, rows, ret_organization);
}

static struct status
ask(struct ctx *cx, struct tx *tx, const struct sql *question, const char *text, bool *ret_answer)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_text(&p, text);
    TRY(tx_query(cx, tx, question, &p, &rows));
    *ret_answer = row_bool(rows, 0, 0);
    return STATUS_OK;
}

struct status
organization_store_slug_taken(struct ctx *cx, struct tx *tx, const char *slug, bool *ret_taken)
{
    return ask(cx, tx, &slug_taken_sql, slug, ret_taken);
}

struct status
organization_store_zone_known(struct ctx *cx, struct tx *tx, const char *time_zone, bool *ret_known)
{
    return ask(cx, tx, &zone_known_sql, time_zone, ret_known);
}
