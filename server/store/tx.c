#include <string.h>
#include <time.h>

#include "base/ctx.h"
#include "base/metrics.h"
#include "store/db.h"
#include "store/db_internal.h"
#include "store/db_wait_internal.h"
#include "store/event_queue_internal.h"
#include "store/rows_internal.h"
#include "store/sqlstate_internal.h"

#define RERUNS_MAX 3
#define RERUN_MS_MAX 20 /* doubled with each run */

struct status tx_begin(struct ctx *cx, struct db *db, struct tx **ret_tx)
{
    struct db_slot *slot = NULL;

    TRY(db_call_check(cx));
    TRY(db_slot_acquire(cx, db, &slot));
    slot->tx = (struct tx){.db = db, .slot = slot, .connection = slot->connection};
    *ret_tx = &slot->tx;
    return STATUS_OK;
}

void tx_end(struct tx **tx)
{
    struct tx *ending = *tx;

    if (ending == NULL) {
        return;
    }
    *tx = NULL;
    if (ending->begun && !ending->committed && !ending->connection->broken) {
        db_connection_rollback(ending->connection);
    }
    db_slot_release(ending->db, ending->slot);
}

/* Adds a statement to the next round trip, behind BEGIN when it is the first. */
static struct status
queue(struct ctx *cx, struct tx *tx, const struct sql *sql, const struct params *params)
{
    TRY(db_call_check(cx));
    if (tx->failed || tx->committed) {
        return status_fail(cx, REASON_INTERNAL, "the transaction is over");
    }
    if (!tx->begun) {
        tx->begun = true;
        TRY(db_connection_queue(cx, tx->connection, &DB_BEGIN, &NO_PARAMS));
    }
    return db_connection_queue(cx, tx->connection, sql, params);
}

static struct status
run(struct ctx *cx,
    struct tx *tx,
    const struct sql *sql,
    const struct params *params,
    PGresult **ret_result)
{
    struct status status = queue(cx, tx, sql, params);

    if (status.code == CODE_OK) {
        status = db_connection_run(cx, tx->connection, ret_result);
    }
    tx->failed = tx->failed || status.code != CODE_OK;
    return status;
}

struct status
tx_queue_execute(struct ctx *cx, struct tx *tx, const struct sql *sql, const struct params *params)
{
    struct status status = queue(cx, tx, sql, params);

    tx->failed = tx->failed || status.code != CODE_OK;
    return status;
}

struct status tx_query(
    struct ctx *cx,
    struct tx *tx,
    const struct sql *sql,
    const struct params *params,
    struct rows **ret_rows)
{
    PGresult *result = NULL;

    TRY(run(cx, tx, sql, params, &result));
    *ret_rows = rows_of(result);
    return STATUS_OK;
}

struct status tx_execute(
    struct ctx *cx,
    struct tx *tx,
    const struct sql *sql,
    const struct params *params,
    int64_t *ret_affected)
{
    AUTO_PGRESULT result = NULL;

    TRY(run(cx, tx, sql, params, &result));
    if (ret_affected != NULL) {
        *ret_affected = db_affected(result);
    }
    return STATUS_OK;
}

/* The server answers COMMIT with "ROLLBACK", and success, when the transaction had failed before;
 * and with a mere warning when it gave up to wait for the standby. */
static struct status check_commit(struct ctx *cx, const struct tx *tx, PGresult *result)
{
    if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        return status_fail(cx, REASON_INTERNAL, "the transaction was rolled back");
    }
    if (tx->connection->replication_unknown) {
        return status_retry(
            status_fail(
                cx,
                REASON_DATABASE_UNAVAILABLE,
                "could not confirm that the standby has the change"),
            SQLSTATE_RETRY_MS);
    }
    return STATUS_OK;
}

struct status tx_commit(struct ctx *cx, struct tx *tx)
{
    AUTO_PGRESULT result = NULL;

    TRY(event_queue_append(cx, tx));
    if (!tx->begun && !tx->failed) {
        tx->committed = true;
        return db_call_check(cx);
    }
    TRY(run(cx, tx, &DB_COMMIT, &NO_PARAMS, &result));
    tx->committed = true;
    TRY(check_commit(cx, tx, result));
    event_queue_committed(tx);
    return STATUS_OK;
}

static void count_rerun(struct status status)
{
    metric_add(metric_series(METRIC_DB_RETRIES, (const char *const[]){db_sqlstate(status)}), 1);
}

static void sleep_ms(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static struct status run_once(struct ctx *cx, struct db *db, tx_fn work, void *user)
{
    AUTO_TX tx = NULL;

    TRY(tx_begin(cx, db, &tx));
    TRY(work(cx, tx, user));
    return tx_commit(cx, tx);
}

struct status tx_run(struct ctx *cx, struct db *db, tx_fn work, void *user)
{
    struct status status = run_once(cx, db, work, user);

    for (int rerun = 0; rerun < RERUNS_MAX && sqlstate_is_conflict(status); rerun++) {
        count_rerun(status);
        sleep_ms(db_wait_jitter_ms((int64_t)RERUN_MS_MAX << rerun));
        status = run_once(cx, db, work, user);
    }
    return status;
}
