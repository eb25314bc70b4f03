#include "store/db.h"

#include <string.h>

#include "base/ctx.h"
#include "base/heap.h"
#include "base/str.h"
#include "store/db_internal.h"
#include "store/db_wait_internal.h"
#include "store/rows_internal.h"
#include "store/sqlstate_internal.h"

#define LOCK_MS_MAX 2000
#define IDLE_IN_TRANSACTION_MS_MAX 10000

static bool slots_init(struct db *db, uint32_t count)
{
    db->slots = heap_new(count * sizeof db->slots[0]);
    if (db->slots == NULL) {
        return false;
    }
    db->slot_count = count;
    for (uint32_t i = 0; i < count; i++) {
        db->slots[i].wake_fd = -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        db->slots[i].wake_fd = db_wait_fd_new();
        if (db->slots[i].wake_fd < 0) {
            return false;
        }
        db->slots[i].next = db->empty;
        db->empty = &db->slots[i];
    }
    return true;
}

static bool locks_init(struct db *db)
{
    pthread_condattr_t attributes;
    bool done = false;

    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    done = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(&db->changed, &attributes) == 0 &&
           pthread_mutex_init(&db->mutex, NULL) == 0;
    pthread_condattr_destroy(&attributes);
    return done;
}

struct status db_new(struct ctx *cx, const struct db_config *config, struct db **ret_db)
{
    struct db *db = heap_new(sizeof *db);
    struct status status;

    if (db == NULL || !locks_init(db)) {
        heap_free(db);
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    db->acquire_ms_max = config->acquire_ms_max;
    db->application_name = heap_text(config->application_name);
    db->session = (struct db_session){
        .application_name = db->application_name,
        .statement_ms_max = config->statement_ms_max,
        .lock_ms_max = LOCK_MS_MAX,
        .idle_in_transaction_ms_max = IDLE_IN_TRANSACTION_MS_MAX,
    };
    status = db_target_new(cx, config->url, &db->target);
    if (status.code == CODE_OK &&
        (db->application_name == NULL || !slots_init(db, config->connections_max))) {
        status = status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    if (status.code != CODE_OK) {
        db_free(db);
        return status;
    }
    *ret_db = db;
    return STATUS_OK;
}

void db_free(struct db *db)
{
    if (db == NULL) {
        return;
    }
    for (uint32_t i = 0; i < db->slot_count; i++) {
        db_connection_close(db->slots[i].connection);
        db_wait_fd_close(db->slots[i].wake_fd);
    }
    heap_free(db->slots);
    db_target_free(db->target);
    heap_free(db->application_name);
    pthread_cond_destroy(&db->changed);
    pthread_mutex_destroy(&db->mutex);
    heap_free(db);
}

struct status db_call_check(struct ctx *cx)
{
    if (cx->canceller != NULL && atomic_load(&cx->canceller->gone)) {
        return status_of(cx, REASON_CANCELLED);
    }
    if (ctx_gone(cx)) {
        return status_of(cx, REASON_DEADLINE_EXCEEDED);
    }
    if (arena_failed(cx->arena)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    return STATUS_OK;
}

static struct status run_one(
    struct ctx *cx,
    struct db_connection *connection,
    const struct sql *sql,
    const struct params *params,
    PGresult **ret_result)
{
    AUTO_PGRESULT result = NULL;

    TRY(db_connection_queue(cx, connection, sql, params));
    TRY(db_connection_run(cx, connection, &result));
    if (connection->replication_unknown) {
        return status_retry(
            status_fail(
                cx,
                REASON_DATABASE_UNAVAILABLE,
                "could not confirm that the standby has the change"),
            SQLSTATE_RETRY_MS);
    }
    *ret_result = TAKE(result);
    return STATUS_OK;
}

/* After a migration a statement may have to be prepared anew, of which the caller shall see
 * nothing. */
static struct status autocommit(
    struct ctx *cx,
    struct db *db,
    const struct sql *sql,
    const struct params *params,
    PGresult **ret_result)
{
    struct db_slot *slot = NULL;
    struct status status;

    TRY(db_call_check(cx));
    TRY(db_slot_acquire(cx, db, &slot));
    status = run_one(cx, slot->connection, sql, params, ret_result);
    if (sqlstate_is_stale(status) && db_connection_reusable(slot->connection)) {
        status = run_one(cx, slot->connection, sql, params, ret_result);
    }
    db_slot_release(db, slot);
    return status;
}

struct status db_query(
    struct ctx *cx,
    struct db *db,
    const struct sql *sql,
    const struct params *params,
    struct rows **ret_rows)
{
    PGresult *result = NULL;

    TRY(autocommit(cx, db, sql, params, &result));
    *ret_rows = rows_of(result);
    return STATUS_OK;
}

struct status db_execute(
    struct ctx *cx,
    struct db *db,
    const struct sql *sql,
    const struct params *params,
    int64_t *ret_affected)
{
    AUTO_PGRESULT result = NULL;

    TRY(autocommit(cx, db, sql, params, &result));
    if (ret_affected != NULL) {
        *ret_affected = db_affected(result);
    }
    return STATUS_OK;
}

int64_t db_affected(const PGresult *result)
{
    long long count = 0;

    /* libpq takes its argument without const, and does not change it. */
    return str_to_i64(str_of(PQcmdTuples((PGresult *)(uintptr_t)result)), &count) ? count : 0;
}

struct status db_ping(struct ctx *cx, struct db *db)
{
    static const struct sql ping = {"ping", "SELECT 1"};
    AUTO_PGRESULT result = NULL;
    struct status status = autocommit(cx, db, &ping, &NO_PARAMS, &result);
    char text[DB_ERROR_SIZE];

    if (status_reason(status) != REASON_DATABASE_UNAVAILABLE) {
        return status;
    }
    pthread_mutex_lock(&db->mutex);
    memcpy(text, db->last_error, sizeof text);
    pthread_mutex_unlock(&db->mutex);
    return text[0] == '\0'
               ? status
               : status_retry(
                     status_fail(cx, REASON_DATABASE_UNAVAILABLE, "%s", text), SQLSTATE_RETRY_MS);
}
