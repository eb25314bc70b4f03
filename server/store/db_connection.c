#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "store/db_connection_internal.h"
#include "store/db_target_internal.h"
#include "store/db_wait_internal.h"
#include "store/sqlstate_internal.h"

#define ERROR_TEXT_SIZE 256
#define JSONB_OID 3802

const struct sql DB_BEGIN = {"begin", "BEGIN"};
const struct sql DB_COMMIT = {"commit", "COMMIT"};
const struct sql DB_ROLLBACK = {"rollback", "ROLLBACK"};

/* What the server says beside its answers. Two things matter: that it ends the session, said to an
 * idle connection as a notice, and the warning in a commit whose wait for the standby was
 * cancelled: the server then answers success for a commit that a failover may undo. */
static void receive_notice(void *user, const PGresult *notice)
{
    struct db_connection *connection = user;
    const char *sqlstate = sqlstate_of(notice);
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

    if (function != NULL && strcmp(function, "SyncRepWaitForLSN") == 0) {
        connection->replication_unknown = true;
    } else if (sqlstate_ends_session(sqlstate)) {
        connection->broken = true;
    }
}

void db_connection_clear_result(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

static struct db_connection *connection_new(const struct db_session *session, int wake_fd)
{
    struct db_connection *connection = heap_new(sizeof *connection);

    if (connection == NULL) {
        return NULL;
    }
    connection->wake_fd = wake_fd;
    connection->statement_ms_max = session->statement_ms_max;
    if (!db_prepared_init(&connection->prepared)) {
        heap_free(connection);
        return NULL;
    }
    return connection;
}

void db_connection_close(struct db_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    PQfinish(connection->link);
    db_prepared_release(&connection->prepared);
    heap_free(connection);
}

/* The first line of what libpq has to say. */
static void copy_error(const PGconn *link, char ret_text[ERROR_TEXT_SIZE])
{
    const char *text = link == NULL ? "out of memory" : PQerrorMessage(link);

    snprintf(ret_text, ERROR_TEXT_SIZE, "%.*s", (int)strcspn(text, "\n"), text);
}

static struct status gave_up(struct ctx *cx, enum db_wait wait)
{
    return status_of(cx, wait == DB_WAIT_CANCELLED ? REASON_CANCELLED : REASON_DEADLINE_EXCEEDED);
}

/* Drives the handshake with one host. ret_text says why there is no link when the call itself goes
 * on. (A name server that does not answer blocks inside of libpq; numeric addresses avoid it.) */
static struct status connect_to(
    struct ctx *cx,
    PGconn *link,
    int wake_fd,
    int64_t connect_ms_max,
    char ret_text[ERROR_TEXT_SIZE])
{
    const struct db_waiter waiter = {cx->canceller, wake_fd};
    const int64_t host_deadline_us = deadline_in_ms(connect_ms_max);
    const bool host_first = host_deadline_us < cx->deadline_us;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;

    if (link == NULL || PQstatus(link) == CONNECTION_BAD) {
        state = PGRES_POLLING_FAILED;
    }
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        const enum db_wait wait = db_wait(
            &waiter, PQsocket(link), events, host_first ? host_deadline_us : cx->deadline_us);

        if (wait == DB_WAIT_DEADLINE && host_first) {
            snprintf(ret_text, ERROR_TEXT_SIZE, "no answer in time");
            return STATUS_OK;
        }
        if (wait != DB_WAIT_READY) {
            return gave_up(cx, wait);
        }
        state = PQconnectPoll(link);
    }
    if (state == PGRES_POLLING_FAILED) {
        copy_error(link, ret_text);
        return STATUS_OK;
    }
    ret_text[0] = '\0';
    return STATUS_OK;
}

static bool set_up(struct db_connection *connection)
{
    PQsetNoticeReceiver(connection->link, receive_notice, connection);
    return PQsetnonblocking(connection->link, 1) == 0 && PQenterPipelineMode(connection->link) == 1;
}

struct status db_connection_open(
    struct ctx *cx,
    struct db_target *target,
    const struct db_session *session,
    int wake_fd,
    struct db_connection **ret_connection)
{
    const uint32_t first = atomic_load(&target->preferred);
    char text[ERROR_TEXT_SIZE] = "";
    char host_text[DB_HOST_TEXT_SIZE] = "";

    for (uint32_t i = 0; i < target->host_count; i++) {
        const uint32_t index = (first + i) % target->host_count;
        struct db_connection *connection = connection_new(session, wake_fd);
        struct status status;

        if (connection == NULL) {
            return status_of(cx, REASON_REQUEST_TOO_COSTLY);
        }
        connection->link = db_target_connect_start(target, &target->hosts[index], session);
        status = connect_to(cx, connection->link, wake_fd, target->connect_ms_max, text);
        if (status.code == CODE_OK && text[0] == '\0' && set_up(connection)) {
            atomic_store(&target->preferred, index);
            *ret_connection = connection;
            return STATUS_OK;
        }
        db_connection_close(connection);
        TRY(status);
        db_target_host_text(&target->hosts[index], host_text);
    }
    return status_retry(
        status_fail(
            cx,
            REASON_DATABASE_UNAVAILABLE,
            "could not connect to the database at %s: %s",
            host_text,
            text),
        SQLSTATE_RETRY_MS);
}

bool db_connection_alive(struct db_connection *connection)
{
    struct pollfd fd = {.fd = PQsocket(connection->link), .events = POLLIN};

    /* A closing server first says so and then closes: two reads at least. */
    for (int reads = 0; reads < 8 && poll(&fd, 1, 0) > 0; reads++) {
        if (PQconsumeInput(connection->link) == 0) {
            return false;
        }
        PQisBusy(connection->link); /* parses, which calls the notice receiver */
    }
    return !connection->broken && PQstatus(connection->link) == CONNECTION_OK;
}

bool db_connection_reusable(const struct db_connection *connection)
{
    return !connection->broken && connection->pending_count == 0 &&
           PQstatus(connection->link) == CONNECTION_OK &&
           PQtransactionStatus(connection->link) == PQTRANS_IDLE;
}

static struct status link_failed(struct ctx *cx, struct db_connection *connection)
{
    connection->broken = true;
    return sqlstate_lost(cx);
}

static void add_pending(
    struct db_connection *connection,
    enum db_pending_kind kind,
    const struct sql *sql,
    struct db_prepared *prepared)
{
    connection->pending[connection->pending_count++] = (struct db_pending){kind, sql, prepared};
}

/* Everything travels in binary, but jsonb goes as text: its binary form is the text behind a
 * version byte, which would need a copy. */
static void choose_formats(const struct params *params, int formats[PARAMS_MAX])
{
    for (uint32_t i = 0; i < params->count; i++) {
        formats[i] = params->types[i] == JSONB_OID ? 0 : 1;
    }
}

static bool send_prepare(
    struct db_connection *connection, struct db_prepared *prepared, const struct params *params)
{
    char name[DB_PREPARED_NAME_SIZE];

    if (prepared->state != DB_PREPARED_NO) {
        return true;
    }
    db_prepared_name(prepared, name);
    if (PQsendPrepare(
            connection->link, name, prepared->sql->text, (int)params->count, params->types) == 0) {
        return false;
    }
    prepared->state = DB_PREPARED_SENT;
    add_pending(connection, DB_PENDING_PREPARE, prepared->sql, prepared);
    return true;
}

static bool send_statement(
    struct db_connection *connection,
    struct db_prepared *prepared,
    const struct sql *sql,
    const struct params *params)
{
    char name[DB_PREPARED_NAME_SIZE];
    int formats[PARAMS_MAX];

    choose_formats(params, formats);
    if (prepared == NULL) {
        return PQsendQueryParams(
                   connection->link,
                   sql->text,
                   (int)params->count,
                   params->types,
                   params->values,
                   params->lengths,
                   formats,
                   /* resultFormat= */ 1) == 1;
    }
    db_prepared_name(prepared, name);
    return PQsendQueryPrepared(
               connection->link,
               name,
               (int)params->count,
               params->values,
               params->lengths,
               formats,
               /* resultFormat= */ 1) == 1;
}

struct status db_connection_queue(
    struct ctx *cx,
    struct db_connection *connection,
    const struct sql *sql,
    const struct params *params)
{
    struct db_prepared *prepared = NULL;

    if (connection->pending_count + 2 > DB_PENDING_MAX) {
        return status_fail(cx, REASON_INTERNAL, "too many statements in one round trip");
    }
    prepared = db_prepared_get(&connection->prepared, sql);
    if (prepared != NULL && !send_prepare(connection, prepared, params)) {
        return link_failed(cx, connection);
    }
    if (!send_statement(connection, prepared, sql, params)) {
        return link_failed(cx, connection);
    }
    add_pending(connection, DB_PENDING_STATEMENT, sql, prepared);
    return STATUS_OK;
}
