#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "store/db_internal.h"
#include "store/db_script_internal.h"
#include "store/db_wait_internal.h"
#include "store/schema_internal.h"

/* Any number will do that no other program locks in the same database. */
#define LOCK_KEY "7598805560"
#define LOCK_WAIT_MS_MAX 60000
#define LOCK_POLL_MS 200

/* A migration that waits for its lock makes all who come after it wait as well: it gives up early
 * and tries again. */
#define LOCK_MS_MAX 2000
#define TRIES_MAX 5
#define RETRY_MS_MAX 2000

#define TABLE                                         \
    "CREATE TABLE IF NOT EXISTS schema_migrations ("  \
    " version int PRIMARY KEY,"                       \
    " name text NOT NULL,"                            \
    " checksum bytea NOT NULL,"                       \
    " applied_at timestamptz NOT NULL DEFAULT now()," \
    " duration_ms bigint NOT NULL)"

static const struct sql lock = {
    "schema_lock",
    "SELECT pg_try_advisory_lock(" LOCK_KEY ")",
};

static const struct sql record = {
    "schema_record",
    "INSERT INTO schema_migrations (version, name, checksum, duration_ms) VALUES ($1, $2, $3, $4)",
};

static void sleep_ms(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static struct status query(
    struct ctx *cx,
    struct db_connection *connection,
    const struct sql *sql,
    const struct params *params,
    PGresult **ret_result)
{
    TRY(db_connection_queue(cx, connection, sql, params));
    return db_connection_run(cx, connection, ret_result);
}

/* By asking again and again: a session that waits inside of the server keeps a snapshot. */
static struct status lock_database(struct ctx *cx, struct db_connection *connection)
{
    const int64_t until_us = deadline_in_ms(LOCK_WAIT_MS_MAX);

    for (;;) {
        AUTO_PGRESULT result = NULL;

        TRY(query(cx, connection, &lock, &NO_PARAMS, &result));
        if (PQgetvalue(result, 0, 0)[0] != 0) {
            return STATUS_OK;
        }
        if (monotonic_us() >= until_us) {
            return status_fail(
                cx,
                REASON_DATABASE_UNAVAILABLE,
                "could not get the migration lock: another program is migrating the database");
        }
        TRY(db_call_check(cx));
        sleep_ms(LOCK_POLL_MS);
    }
}

static struct status insert_record(
    struct ctx *cx,
    struct db_connection *connection,
    const struct migration *migration,
    int64_t duration_ms)
{
    AUTO_PGRESULT result = NULL;
    struct params params = {.count = 0};
    uint8_t digest[SHA256_SIZE];

    schema_checksum(migration, digest);
    params_i32(&params, migration->version);
    params_text(&params, migration->name);
    params_bytes(&params, digest, sizeof digest);
    params_i64(&params, duration_ms);
    return query(cx, connection, &record, &params, &result);
}

static struct status apply_in_transaction(
    struct ctx *cx, struct db_connection *connection, const struct migration *migration)
{
    const int64_t started_us = monotonic_us();

    TRY(db_script_run(cx, connection, "BEGIN"));
    TRY(db_script_run(cx, connection, migration->text));
    if (PQtransactionStatus(connection->link) != PQTRANS_INTRANS) {
        return status_fail(cx, REASON_INTERNAL, "its text ends the transaction");
    }
    TRY(insert_record(cx, connection, migration, (monotonic_us() - started_us) / 1000));
    failpoint("schema.migrated");
    return db_script_run(cx, connection, "COMMIT");
}

static bool lost_its_locks(struct status status)
{
    const char *sqlstate = db_sqlstate(status);

    return strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "40P01") == 0;
}

static struct status
apply(struct ctx *cx, struct db_connection *connection, const struct migration *migration)
{
    struct status status = apply_in_transaction(cx, connection, migration);

    for (int i = 1; i < TRIES_MAX && lost_its_locks(status); i++) {
        db_connection_rollback(connection);
        sleep_ms(db_wait_jitter_ms(RETRY_MS_MAX));
        TRY(db_call_check(cx));
        status = apply_in_transaction(cx, connection, migration);
    }
    if (status.code == CODE_OK) {
        log_debug(
            cx,
            "migration applied",
            LOG_I64("version", migration->version),
            LOG_TEXT("name", migration->name));
        return status;
    }
    if (!connection->broken) {
        db_connection_rollback(connection);
    }
    return status_fail(
        cx,
        status_reason(status),
        "migration %04" PRId32 " \"%s\" failed: %s",
        migration->version,
        migration->name,
        status_message(status));
}

/* A session of its own, without the time limits of the pool. */
static struct status
open_session(struct ctx *cx, struct db *db, int wake_fd, struct db_connection **ret_connection)
{
    const struct db_session session = {
        .application_name = db->application_name,
        .lock_ms_max = LOCK_MS_MAX,
    };

    return db_connection_open(cx, db->target, &session, wake_fd, ret_connection);
}

static struct status up_with(
    struct ctx *cx,
    struct db *db,
    struct db_connection *connection,
    const struct schema *schema,
    size_t *ret_applied)
{
    struct schema_report report = {.migrations = NULL};
    size_t applied = 0;

    TRY(lock_database(cx, connection));
    TRY(db_script_run(cx, connection, "SET client_min_messages = warning; " TABLE));
    TRY(schema_status(cx, db, schema, &report));
    TRY(schema_check(cx, &report));
    /* Pending ones are the last of both lists. */
    for (size_t i = schema->count - report.pending_count; i < schema->count; i++) {
        TRY(apply(cx, connection, &schema->migrations[i]));
        applied++;
    }
    *ret_applied = applied;
    return STATUS_OK;
}

struct status
schema_up(struct ctx *cx, struct db *db, const struct schema *schema, size_t *ret_applied)
{
    const int wake_fd = db_wait_fd_new();
    struct db_connection *connection = NULL;
    struct status status = open_session(cx, db, wake_fd, &connection);

    if (status.code == CODE_OK) {
        status = up_with(cx, db, connection, schema, ret_applied);
    }
    db_connection_close(connection); /* which also gives the lock back */
    db_wait_fd_close(wake_fd);
    return status;
}
