#include <poll.h>
#include <string.h>

#include "base/ctx.h"
#include "store/db_connection_internal.h"
#include "store/db_script_internal.h"
#include "store/db_wait_internal.h"
#include "store/sqlstate_internal.h"

static struct status script_failed(struct ctx *cx, const PGresult *result)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = sqlstate_of(result);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);

    return status_pair(
        cx,
        status_fail(
            cx,
            REASON_INTERNAL,
            "%s (%s)%s%.*s",
            message == NULL ? "the connection was lost" : message,
            sqlstate,
            context == NULL ? "" : ", ",
            context == NULL ? 0 : (int)strcspn(context, "\n"),
            context == NULL ? "" : context),
        "sqlstate",
        sqlstate);
}

/* Waits until PQgetResult() would not wait. */
static struct status answer_ready(struct ctx *cx, struct db_connection *connection)
{
    const struct db_waiter waiter = {cx->canceller, connection->wake_fd};
    PGconn *link = connection->link;

    for (;;) {
        const int unsent = PQflush(link);
        enum db_wait wait = DB_WAIT_READY;

        if (unsent < 0) {
            return sqlstate_lost(cx);
        }
        if (!PQisBusy(link)) {
            return STATUS_OK;
        }
        wait = db_wait(
            &waiter, PQsocket(link), unsent > 0 ? POLLIN | POLLOUT : POLLIN, cx->deadline_us);
        if (wait != DB_WAIT_READY) {
            return status_of(
                cx, wait == DB_WAIT_CANCELLED ? REASON_CANCELLED : REASON_DEADLINE_EXCEEDED);
        }
        if (PQconsumeInput(link) == 0) {
            return sqlstate_lost(cx);
        }
    }
}

static struct status read_all(struct ctx *cx, struct db_connection *connection)
{
    struct status status = STATUS_OK;

    for (;;) {
        AUTO_PGRESULT result = NULL;

        TRY(answer_ready(cx, connection));
        result = PQgetResult(connection->link);
        if (result == NULL) {
            return status;
        }
        if (PQresultStatus(result) != PGRES_COMMAND_OK &&
            PQresultStatus(result) != PGRES_TUPLES_OK && status.code == CODE_OK) {
            status = script_failed(cx, result);
        }
    }
}

struct status db_script_run(struct ctx *cx, struct db_connection *connection, const char *text)
{
    PGconn *link = connection->link;
    struct status status;

    if (PQexitPipelineMode(link) == 0 || PQsendQuery(link, text) == 0) {
        connection->broken = true;
        return sqlstate_lost(cx);
    }
    status = read_all(cx, connection);
    /* Refused while an answer is still to come: then nobody may use the connection again. */
    if (PQstatus(link) != CONNECTION_OK || PQenterPipelineMode(link) == 0) {
        connection->broken = true;
    }
    return status;
}
