#pragma once

/* The schema of the database: the files of migrations/, built into the program, and what of them
 * has been applied. Forward only; each file in one transaction, under an advisory lock of all
 * programs that migrate the same database, its SHA-256 kept in table schema_migrations. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ctx;
struct db;

struct migration {
    int32_t version;  /* the number that the file's name begins with; ascending from 1 */
    const char *name; /* "organizations" */
    const char *text; /* NUL-terminated SQL without BEGIN and COMMIT */
};

struct schema {
    const struct migration *migrations;
    size_t count;
};

/* The files of migrations/. */
extern const struct schema SCHEMA;

enum migration_state {
    MIGRATION_APPLIED,
    MIGRATION_PENDING,
    MIGRATION_CHANGED, /* applied with another text than the program has */
    MIGRATION_UNKNOWN, /* applied by a newer program */
};

struct migration_report {
    int32_t version;
    const char *name;
    enum migration_state state;
    int64_t applied_us; /* 0 when pending */
    int64_t duration_ms;
};

struct schema_report {
    const struct migration_report *migrations; /* by version */
    size_t count;
    size_t pending_count;
};

/* What is applied and what is not; changes nothing. Fails with DATABASE_UNAVAILABLE. */
struct status schema_status(
    struct ctx *cx, struct db *db, const struct schema *schema, struct schema_report *ret_report)
    MUST_CHECK;

/* Fails with INTERNAL, and a message that says which and what to do, when the database is behind
 * the program, is newer, or an applied migration was changed. For the start of the server. */
struct status schema_verify(struct ctx *cx, struct db *db, const struct schema *schema) MUST_CHECK;

/* Applies what is pending, in order; *ret_applied counts. Refuses, before anything is done, what
 * schema_verify() refuses except pending ones. Waits for another program that migrates, and tries a
 * migration again that could not get its locks in time. A migration that fails leaves no trace;
 * those before it stay. */
struct status schema_up(
    struct ctx *cx, struct db *db, const struct schema *schema, size_t *ret_applied) MUST_CHECK;
