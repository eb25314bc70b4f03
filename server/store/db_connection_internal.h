#pragma once

/* One connection to PostgreSQL: always in pipeline mode, never blocking, every wait with the
 * deadline and the canceller of the call. Belongs to one thread at a time. Private to store/.
 *
 * A call queues statements, which costs nothing but memory, and then runs them: one flush, one
 * Sync, one round trip. Each statement is prepared the first time it is queued on a connection, in
 * the same flush.
 *
 *     TRY(db_connection_queue(cx, connection, &BEGIN, &NO_PARAMS));
 *     TRY(db_connection_queue(cx, connection, &sql, params));
 *     TRY(db_connection_run(cx, connection, &result));
 */

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/status.h"
#include "store/db.h"
#include "store/db_prepared_internal.h"

struct ctx;
struct db_session;
struct db_target;

#define DB_PENDING_MAX 64

enum db_pending_kind {
    DB_PENDING_PREPARE,
    DB_PENDING_STATEMENT
};

/* A message sent, its answer not read yet. */
struct db_pending {
    enum db_pending_kind kind;
    const struct sql *sql;
    struct db_prepared *prepared; /* NULL: sent without preparing */
};

struct db_connection {
    PGconn *link;
    int wake_fd; /* borrowed; see db_wait_internal.h */
    int64_t statement_ms_max;
    struct db_pending pending[DB_PENDING_MAX];
    uint32_t pending_count;
    struct db_prepared_table prepared;
    bool broken;              /* must not be used again */
    bool replication_unknown; /* the last commit is durable here, perhaps not on the standby */
};

#define AUTO_PGRESULT AUTO(db_connection_clear_result) PGresult *
void db_connection_clear_result(PGresult **result);

/* Connects to the first host that takes us. Fails with DATABASE_UNAVAILABLE and a message for the
 * operator, CANCELLED, DEADLINE_EXCEEDED. Owned by the caller, free with db_connection_close(). */
struct status db_connection_open(
    struct ctx *cx,
    struct db_target *target,
    const struct db_session *session,
    int wake_fd,
    struct db_connection **ret_connection) MUST_CHECK;
void db_connection_close(struct db_connection *connection);

/* An idle connection that the server has not closed meanwhile. Does not wait. */
bool db_connection_alive(struct db_connection *connection);

/* Neither broken nor inside a transaction. */
bool db_connection_reusable(const struct db_connection *connection);

/* Queues one statement; params are copied. Fails with DATABASE_UNAVAILABLE, or with INTERNAL when
 * DB_PENDING_MAX messages wait already. */
struct status db_connection_queue(
    struct ctx *cx,
    struct db_connection *connection,
    const struct sql *sql,
    const struct params *params) MUST_CHECK;

/* Sends what is queued and waits for all answers. On success the result is that of the last
 * statement and the caller's to clear. The first failed statement makes the server skip the rest;
 * its failure is returned. When the call is given up (CANCELLED, DEADLINE_EXCEEDED) the statement
 * is cancelled on the server and its end awaited for a second, then the connection is broken. */
struct status db_connection_run(
    struct ctx *cx, struct db_connection *connection, PGresult **ret_result) MUST_CHECK;

/* Rolls back what is open; on failure the connection is broken. Has a second for it, whatever the
 * deadline of the call was. */
void db_connection_rollback(struct db_connection *connection);

extern const struct sql DB_BEGIN;
extern const struct sql DB_COMMIT;
extern const struct sql DB_ROLLBACK;
