#include "store/schema.h"

#include <inttypes.h>
#include <string.h>

#include "base/ctx.h"
#include "base/digest.h"
#include "base/str.h"
#include "store/db.h"
#include "store/schema_internal.h"

static const struct sql table_exists = {
    "schema_table_exists",
    "SELECT to_regclass('schema_migrations') IS NOT NULL",
};

static const struct sql applied_list = {
    "schema_applied_list",
    "SELECT version, name, checksum, applied_at, duration_ms"
    " FROM schema_migrations ORDER BY version",
};

void schema_checksum(const struct migration *migration, uint8_t ret_digest[SHA256_SIZE])
{
    sha256(migration->text, strlen(migration->text), ret_digest);
}

/* No table: a database that nobody has migrated yet; *ret_rows is NULL. */
static struct status load_applied(struct ctx *cx, struct db *db, struct rows **ret_rows)
{
    AUTO_ROWS exists = NULL;

    TRY(db_query(cx, db, &table_exists, &NO_PARAMS, &exists));
    *ret_rows = NULL;
    if (!row_bool(exists, 0, 0)) {
        return STATUS_OK;
    }
    return db_query(cx, db, &applied_list, &NO_PARAMS, ret_rows);
}

static struct migration_report
read_applied(struct ctx *cx, const struct rows *rows, size_t row, const struct migration *ours)
{
    uint8_t digest[SHA256_SIZE];
    size_t len = 0;
    const uint8_t *checksum = row_bytes(cx, rows, row, 2, &len);
    struct migration_report report = {
        .version = (int32_t)row_i64(rows, row, 0),
        .name = row_text(cx, rows, row, 1),
        .applied_us = row_time(rows, row, 3),
        .duration_ms = row_i64(rows, row, 4),
        .state = MIGRATION_UNKNOWN,
    };

    if (ours != NULL) {
        schema_checksum(ours, digest);
        report.state = len == sizeof digest && memcmp(checksum, digest, len) == 0
                           ? MIGRATION_APPLIED
                           : MIGRATION_CHANGED;
    }
    return report;
}

/* Merges two lists that are both sorted by version. */
static size_t merge(
    struct ctx *cx,
    const struct rows *rows,
    size_t row_count,
    const struct schema *schema,
    struct migration_report *ret_reports)
{
    size_t count = 0;
    size_t row = 0;
    size_t i = 0;

    while (row < row_count || i < schema->count) {
        const struct migration *ours = i < schema->count ? &schema->migrations[i] : NULL;
        const int64_t applied = row < row_count ? row_i64(rows, row, 0) : INT64_MAX;

        if (ours != NULL && ours->version < applied) {
            ret_reports[count++] = (struct migration_report){
                .version = ours->version,
                .name = ours->name,
                .state = MIGRATION_PENDING,
            };
            i++;
            continue;
        }
        ours = ours != NULL && ours->version == applied ? ours : NULL;
        ret_reports[count++] = read_applied(cx, rows, row, ours);
        row++;
        i += ours != NULL ? 1 : 0;
    }
    return count;
}

struct status schema_status(
    struct ctx *cx, struct db *db, const struct schema *schema, struct schema_report *ret_report)
{
    AUTO_ROWS rows = NULL;
    struct migration_report *reports = NULL;
    struct schema_report report = {.migrations = NULL};
    size_t row_count = 0;

    TRY(load_applied(cx, db, &rows));
    row_count = rows == NULL ? 0 : rows_count(rows);
    reports = arena_try_alloc(cx->arena, (row_count + schema->count) * sizeof reports[0]);
    if (reports == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    report.migrations = reports;
    report.count = merge(cx, rows, row_count, schema, reports);
    for (size_t i = 0; i < report.count; i++) {
        report.pending_count += reports[i].state == MIGRATION_PENDING ? 1 : 0;
    }
    *ret_report = report;
    return STATUS_OK;
}

static struct status
check_one(struct ctx *cx, const struct migration_report *migration, int32_t first_pending)
{
    switch (migration->state) {
    case MIGRATION_PENDING:
        return STATUS_OK;
    case MIGRATION_UNKNOWN:
        return status_fail(
            cx,
            REASON_INTERNAL,
            "the schema is newer than this program: it does not know migration %04" PRId32
            " \"%s\"; run the program that applied it, or a later one",
            migration->version,
            migration->name);
    case MIGRATION_CHANGED:
        return status_fail(
            cx,
            REASON_INTERNAL,
            "migration %04" PRId32 " \"%s\" was changed after it had been applied; restore its "
            "file and put the change into a new one",
            migration->version,
            migration->name);
    case MIGRATION_APPLIED:
        break;
    }
    if (first_pending != 0) {
        return status_fail(
            cx,
            REASON_INTERNAL,
            "migration %04" PRId32 " was never applied, but %04" PRId32
            " \"%s\" after it was; give the new file the next free number",
            first_pending,
            migration->version,
            migration->name);
    }
    return STATUS_OK;
}

struct status schema_check(struct ctx *cx, const struct schema_report *report)
{
    int32_t first_pending = 0;

    for (size_t i = 0; i < report->count; i++) {
        TRY(check_one(cx, &report->migrations[i], first_pending));
        if (report->migrations[i].state == MIGRATION_PENDING && first_pending == 0) {
            first_pending = report->migrations[i].version;
        }
    }
    return STATUS_OK;
}

struct status schema_verify(struct ctx *cx, struct db *db, const struct schema *schema)
{
    struct schema_report report = {.migrations = NULL};

    TRY(schema_status(cx, db, schema, &report));
    TRY(schema_check(cx, &report));
    if (report.pending_count > 0) {
        return status_fail(
            cx,
            REASON_INTERNAL,
            "the schema is behind this program by %zu migrations; run \"billingos migrate up\"",
            report.pending_count);
    }
    return STATUS_OK;
}
