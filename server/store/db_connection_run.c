/* The round trip: send, read every answer up to the Sync, give up in good order. */

#include <poll.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/metrics.h"
#include "store/db_cancel_internal.h"
#include "store/db_connection_internal.h"
#include "store/db_wait_internal.h"
#include "store/sqlstate_internal.h"

/* After a cancel, and for a rollback, the server has this long to come to the end. */
#define DRAIN_MS_MAX 1000
/* How long after its own statement_timeout the server is believed to be still alive. */
#define GRACE_MS 2000

struct run {
    struct db_connection *connection;
    struct db_waiter waiter;
    int64_t started_us;
    int64_t deadline_us;
    bool call_bound;   /* the deadline is that of the call, not our own limit */
    bool gave_up;      /* no further cancel; only the end is awaited */
    enum db_wait why;  /* valid when gave_up */
    uint32_t answered; /* pending messages whose answer is complete */
    PGresult *error;   /* the first failed result */
    PGresult *last;    /* the newest result of a statement */
};

/* False when the connection is lost or its drain took too long. */
static bool wait_for(struct run *run, short events)
{
    PGconn *link = run->connection->link;
    const enum db_wait wait = db_wait(&run->waiter, PQsocket(link), events, run->deadline_us);

    if (wait == DB_WAIT_READY) {
        return true;
    }
    if (run->gave_up) {
        return false;
    }
    run->gave_up = true;
    run->why = wait;
    run->waiter.canceller = NULL;
    run->deadline_us = deadline_in_ms(DRAIN_MS_MAX);
    return db_cancel_send(link, run->deadline_us);
}

/* Waits until PQgetResult() would not wait, writing on what has not been written yet: a server that
 * cannot send its answers reads no more, so both directions go on together. */
static bool answer_ready(struct run *run)
{
    PGconn *link = run->connection->link;

    for (;;) {
        const int unsent = PQflush(link);

        if (unsent < 0) {
            return false;
        }
        if (!PQisBusy(link)) {
            return true;
        }
        if (!wait_for(run, unsent > 0 ? POLLIN | POLLOUT : POLLIN)) {
            return false;
        }
        if (PQconsumeInput(link) == 0) {
            return false;
        }
    }
}

static void keep_first_error(struct run *run, PGresult *result)
{
    if (run->error == NULL) {
        run->error = result;
    } else {
        PQclear(result);
    }
}

static void take_success(struct run *run, PGresult *result)
{
    const struct db_pending *pending = &run->connection->pending[run->answered];

    if (run->answered >= run->connection->pending_count || pending->kind == DB_PENDING_PREPARE) {
        PQclear(result);
        return;
    }
    PQclear(run->last);
    run->last = result;
}

/* The answer of one message is complete: a prepared statement is there, or it is not. */
static void finish_message(struct run *run, bool succeeded)
{
    const struct db_pending *pending = &run->connection->pending[run->answered];

    if (run->answered >= run->connection->pending_count) {
        return;
    }
    run->answered++;
    if (pending->kind == DB_PENDING_PREPARE) {
        if (succeeded) {
            pending->prepared->state = DB_PREPARED_YES;
        } else {
            db_prepared_forget(&run->connection->prepared, pending->prepared);
        }
    } else if (pending->prepared != NULL && succeeded) {
        metric_observe(
            pending->prepared->duration, (double)(monotonic_us() - run->started_us) / 1e6);
    }
}

/* Reads one result; *ret_done at the Sync. False when the link is lost. */
static bool read_one(struct run *run, bool *last_failed, bool *ret_done)
{
    PGresult *result = NULL;

    if (!answer_ready(run)) {
        return false;
    }
    result = PQgetResult(run->connection->link);
    if (result == NULL) {
        /* The end of one message. At the end of the queue there is nothing but a lost link. */
        if (run->answered >= run->connection->pending_count) {
            return PQstatus(run->connection->link) == CONNECTION_OK && run->error != NULL;
        }
        finish_message(run, !*last_failed);
        *last_failed = false;
        return true;
    }
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_SYNC:
        PQclear(result);
        *ret_done = true;
        return true;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        take_success(run, result);
        return true;
    case PGRES_PIPELINE_ABORTED:
        PQclear(result);
        *last_failed = true;
        return true;
    default:
        *last_failed = true;
        keep_first_error(run, result);
        return PQstatus(run->connection->link) == CONNECTION_OK;
    }
}

/* A stale statement is prepared again the next time; a session that the server ends is not used
 * again. */
static void note_error(struct run *run)
{
    const char *sqlstate = sqlstate_of(run->error);
    struct db_connection *connection = run->connection;

    if (sqlstate_ends_session(sqlstate)) {
        connection->broken = true;
    }
    if (sqlstate_is_stale_statement(run->error)) {
        /* Whichever statement it was: all of this flush are prepared again. */
        for (uint32_t i = 0; i < connection->pending_count; i++) {
            if (connection->pending[i].prepared != NULL) {
                db_prepared_forget(&connection->prepared, connection->pending[i].prepared);
            }
        }
    }
}

static const struct sql *failed_sql(const struct run *run, uint32_t failed)
{
    static const struct sql none = {"sync", ""};
    const struct db_connection *connection = run->connection;

    return failed < connection->pending_count ? connection->pending[failed].sql : &none;
}

static void read_all(struct run *run, uint32_t *ret_failed)
{
    bool done = PQpipelineSync(run->connection->link) == 0;
    bool last_failed = false;

    if (done) {
        run->connection->broken = true;
    }
    while (!done) {
        const bool had_error = run->error != NULL;

        if (!read_one(run, &last_failed, &done)) {
            run->connection->broken = true;
            done = true;
        }
        if (!had_error && run->error != NULL) {
            *ret_failed = run->answered;
        }
    }
}

static struct status outcome(struct ctx *cx, struct run *run, uint32_t failed)
{
    const bool complete = !run->connection->broken && run->error == NULL;

    if (run->error != NULL) {
        note_error(run);
    }
    if (complete) {
        return STATUS_OK; /* even when it came after the cancel: it is done */
    }
    if (run->gave_up && run->why == DB_WAIT_CANCELLED) {
        return status_of(cx, REASON_CANCELLED);
    }
    if (run->gave_up && run->call_bound) {
        return status_of(cx, REASON_DEADLINE_EXCEEDED);
    }
    if (run->error != NULL) {
        return sqlstate_status(cx, run->error, failed_sql(run, failed));
    }
    return sqlstate_lost(cx);
}

/* The limit of our own is for a server that neither answers nor keeps its statement_timeout:
 * stopped, or waiting for a standby. */
static void set_deadline(struct run *run, int64_t call_deadline_us)
{
    const struct db_connection *connection = run->connection;
    const int64_t own_us =
        connection->statement_ms_max == 0
            ? INT64_MAX
            : deadline_in_ms(connection->statement_ms_max * connection->pending_count + GRACE_MS);

    run->call_bound = call_deadline_us <= own_us;
    run->deadline_us = run->call_bound ? call_deadline_us : own_us;
}

static struct status round_trip(struct ctx *cx, struct run *run, PGresult **ret_result)
{
    struct status status;
    uint32_t failed = 0;

    run->connection->replication_unknown = false;
    read_all(run, &failed);
    status = outcome(cx, run, failed);
    run->connection->pending_count = 0;
    PQclear(run->error);
    if (status.code != CODE_OK) {
        PQclear(run->last);
        return status;
    }
    *ret_result = run->last;
    return STATUS_OK;
}

struct status
db_connection_run(struct ctx *cx, struct db_connection *connection, PGresult **ret_result)
{
    struct run run = {
        .connection = connection,
        .waiter = {cx->canceller, connection->wake_fd},
        .started_us = monotonic_us(),
    };

    set_deadline(&run, cx->deadline_us);
    return round_trip(cx, &run, ret_result);
}

static struct status rollback_once(struct ctx *cx, struct db_connection *connection)
{
    struct run run = {
        .connection = connection,
        .waiter = {NULL, connection->wake_fd},
        .started_us = monotonic_us(),
        .deadline_us = deadline_in_ms(DRAIN_MS_MAX),
        .gave_up = true,
    };
    AUTO_PGRESULT result = NULL;

    TRY(db_connection_queue(cx, connection, &DB_ROLLBACK, &NO_PARAMS));
    return round_trip(cx, &run, &result);
}

/* What was queued and never sent is executed and undone; a failure in it makes the server skip the
 * first ROLLBACK, hence the second try. The errors are nobody's business: a context of its own. */
void db_connection_rollback(struct db_connection *connection)
{
    char memory[4096] = {0};
    struct arena arena;
    struct ctx cx;
    struct status status = {.code = CODE_UNKNOWN};

    arena_init(&arena, memory, sizeof memory, sizeof memory);
    ctx_init(&cx, &arena, "rollback");
    for (int tries = 0; tries < 2 && status.code != CODE_OK && !connection->broken; tries++) {
        status = rollback_once(&cx, connection);
    }
    connection->broken = connection->broken || status.code != CODE_OK;
    arena_release(&arena);
}
