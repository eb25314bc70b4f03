#include <string.h>

#include "base/ctx.h"
#include "base/log.h"
#include "store/db.h"
#include "store/sqlstate_internal.h"

#define CONFLICT_RETRY_MS 50

/* The first prefix that fits counts. */
static const struct {
    const char *prefix;
    enum reason reason;
    int64_t retry_ms;
    const char *message;
} mappings[] = {
    {"08", REASON_DATABASE_UNAVAILABLE, SQLSTATE_RETRY_MS, "could not reach the database"},
    {"57P", REASON_DATABASE_UNAVAILABLE, SQLSTATE_RETRY_MS, "the database is being restarted"},
    {"53", REASON_DATABASE_UNAVAILABLE, SQLSTATE_RETRY_MS, "the database is out of resources"},
    {"58",
     REASON_DATABASE_UNAVAILABLE,
     SQLSTATE_RETRY_MS,
     "the database has trouble with its disk"},
    {"25006", REASON_DATABASE_UNAVAILABLE, SQLSTATE_RETRY_MS, "the database is read-only"},
    {"25P03", REASON_DATABASE_UNAVAILABLE, SQLSTATE_RETRY_MS, "the transaction idled for too long"},
    {"40003", REASON_DATABASE_UNAVAILABLE, SQLSTATE_RETRY_MS, "the outcome is not known"},
    {"40", REASON_TRANSACTION_CONFLICT, CONFLICT_RETRY_MS, "another caller changes the same rows"},
    {"55P03",
     REASON_DEADLINE_EXCEEDED,
     CONFLICT_RETRY_MS,
     "another caller holds the rows for long"},
    {"57014", REASON_DEADLINE_EXCEEDED, 0, "the database took too long"},
    {"22", REASON_FIELD_INVALID, 0, "a value is not one that the database accepts"},
    {"23502", REASON_FIELD_INVALID, 0, "a value is missing that the database demands"},
    {"23514", REASON_FIELD_INVALID, 0, "a value is not one that the database accepts"},
};

const char *sqlstate_of(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return sqlstate == NULL ? "" : sqlstate;
}

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static struct status mapped(struct ctx *cx, const char *sqlstate, const struct sql *sql)
{
    for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++) {
        if (starts(sqlstate, mappings[i].prefix)) {
            return status_retry(
                status_fail(cx, mappings[i].reason, "%s", mappings[i].message),
                mappings[i].retry_ms);
        }
    }
    return status_fail(
        cx, REASON_INTERNAL, "the database refused statement \"%s\" (%s)", sql->name, sqlstate);
}

/* Violations (class 23) are often expected by the caller, and the texts of classes 22 and 23 hold
 * values; all others are our own mistakes and worth a line. */
static void log_refusal(
    const struct ctx *cx, const PGresult *result, const char *sqlstate, const struct sql *sql)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (starts(sqlstate, "22") || starts(sqlstate, "23")) {
        log_debug(
            cx,
            "database refused a value",
            LOG_TEXT("query", sql->name),
            LOG_TEXT("sqlstate", sqlstate));
    } else {
        log_error(
            cx,
            "database refused a statement",
            LOG_TEXT("query", sql->name),
            LOG_TEXT("sqlstate", sqlstate),
            LOG_TEXT("error", message == NULL ? "" : message));
    }
}

struct status sqlstate_status(struct ctx *cx, const PGresult *result, const struct sql *sql)
{
    const char *sqlstate = sqlstate_of(result);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    struct status status;

    if (sqlstate[0] == '\0') {
        return sqlstate_lost(cx);
    }
    if (sqlstate_is_stale_statement(result)) {
        status = status_fail(
            cx, REASON_TRANSACTION_CONFLICT, "the schema of the database has just changed");
        return status_pair(cx, status_retry(status, CONFLICT_RETRY_MS), "sqlstate", sqlstate);
    }
    status = mapped(cx, sqlstate, sql);
    if (status_reason(status) == REASON_INTERNAL || status_reason(status) == REASON_FIELD_INVALID) {
        log_refusal(cx, result, sqlstate, sql);
    }
    status = status_pair(cx, status, "sqlstate", sqlstate);
    return constraint == NULL ? status : status_pair(cx, status, "constraint", constraint);
}

struct status sqlstate_lost(struct ctx *cx)
{
    return status_retry(
        status_fail(
            cx,
            REASON_DATABASE_UNAVAILABLE,
            "could not reach the database: the connection was lost"),
        SQLSTATE_RETRY_MS);
}

bool sqlstate_ends_session(const char *sqlstate)
{
    static const char *const ends[] = {"08", "57P", "25006", "25P03", "XX"};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (starts(sqlstate, ends[i])) {
            return true;
        }
    }
    return false;
}

/* "cached plan must not change result type" shares its SQLSTATE with every feature that does not
 * exist; the function that reports it tells them apart in every language. */
bool sqlstate_is_stale_statement(const PGresult *result)
{
    const char *sqlstate = sqlstate_of(result);
    const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

    if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0) {
        return true;
    }
    return strcmp(sqlstate, "0A000") == 0 && function != NULL &&
           strcmp(function, "RevalidateCachedQuery") == 0;
}

bool sqlstate_is_stale(struct status status)
{
    static const char *const states[] = {"26000", "42P05", "0A000"};

    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (sqlstate_is_conflict(status) && strcmp(db_sqlstate(status), states[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *pair(struct status status, const char *key)
{
    for (size_t i = 0; status.error != NULL && i < status.error->pair_count; i++) {
        if (strcmp(status.error->pairs[i].key, key) == 0) {
            return status.error->pairs[i].value;
        }
    }
    return "";
}

bool sqlstate_is_conflict(struct status status)
{
    return status_reason(status) == REASON_TRANSACTION_CONFLICT && db_sqlstate(status)[0] != '\0';
}

const char *db_sqlstate(struct status status)
{
    return pair(status, "sqlstate");
}

static bool violates(struct status status, const char *sqlstate, const char *constraint)
{
    if (strcmp(db_sqlstate(status), sqlstate) != 0) {
        return false;
    }
    return constraint == NULL || strcmp(pair(status, "constraint"), constraint) == 0;
}

bool db_unique_violation(struct status status, const char *constraint)
{
    return violates(status, "23505", constraint);
}

bool db_foreign_key_violation(struct status status, const char *constraint)
{
    return violates(status, "23503", constraint);
}
