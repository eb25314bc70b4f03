#include "store/db_listen.h"

#include <assert.h>
#include <poll.h>
#include <string.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "store/db_internal.h"
#include "store/db_wait_internal.h"
#include "store/sqlstate_internal.h"

#define BACKOFF_MS_MIN 50
#define BACKOFF_MS_MAX 2000
#define LISTEN_SIZE 80

struct db_listener {
    struct db *db;
    struct db_connection *connection; /* NULL: not connected */
    int wake_fd;
    uint32_t failures;
    int64_t retry_at_us;
    char text[LISTEN_SIZE];
    struct sql listen;
};

static bool is_plain_name(const char *channel)
{
    return channel[0] != '\0' && strlen(channel) < 64 &&
           strspn(channel, "abcdefghijklmnopqrstuvwxyz_") == strlen(channel);
}

struct status db_listener_new(
    struct ctx *cx, struct db *db, const char *channel, struct db_listener **ret_listener)
{
    struct db_listener *listener = heap_new(sizeof *listener);

    assert(is_plain_name(channel));
    if (listener == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    listener->db = db;
    listener->wake_fd = db_wait_fd_new();
    if (listener->wake_fd < 0) {
        heap_free(listener);
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    snprintf(listener->text, sizeof listener->text, "LISTEN %s", channel);
    listener->listen = (struct sql){"listen", listener->text};
    *ret_listener = listener;
    return STATUS_OK;
}

static void disconnect(struct db_listener *listener)
{
    db_connection_close(listener->connection);
    listener->connection = NULL;
}

void db_listener_free(struct db_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    disconnect(listener);
    db_wait_fd_close(listener->wake_fd);
    heap_free(listener);
}

bool db_listener_connected(const struct db_listener *listener)
{
    return listener->connection != NULL;
}

static void note_failure(struct db_listener *listener)
{
    const uint32_t doublings = listener->failures < 6 ? listener->failures : 6;
    const int64_t backoff_ms = (int64_t)BACKOFF_MS_MIN << doublings;

    disconnect(listener);
    listener->failures++;
    listener->retry_at_us = deadline_in_ms(
        db_wait_jitter_ms(backoff_ms < BACKOFF_MS_MAX ? backoff_ms : BACKOFF_MS_MAX));
}

/* An idle session is what this one is for: no limits of its own but that of LISTEN itself. */
static struct status connect_and_listen(struct ctx *cx, struct db_listener *listener)
{
    struct db *db = listener->db;
    AUTO_PGRESULT result = NULL;

    TRY(db_connection_open(cx, db->target, &db->session, listener->wake_fd, &listener->connection));
    TRY(db_connection_queue(cx, listener->connection, &listener->listen, &NO_PARAMS));
    return db_connection_run(cx, listener->connection, &result);
}

static struct status gave_up(struct ctx *cx, enum db_wait wait)
{
    return status_of(cx, wait == DB_WAIT_CANCELLED ? REASON_CANCELLED : REASON_DEADLINE_EXCEEDED);
}

/* Connects when the back-off is over before until_us; *ret_connected tells. */
static struct status ensure_connected(
    struct ctx *cx, struct db_listener *listener, int64_t until_us, bool *ret_connected)
{
    const struct db_waiter waiter = {cx->canceller, listener->wake_fd};
    struct status status;

    *ret_connected = false;
    if (listener->failures > 0) {
        const bool too_long = listener->retry_at_us > until_us;
        const enum db_wait wait =
            db_wait(&waiter, /* socket= */ -1, 0, too_long ? until_us : listener->retry_at_us);

        if (wait == DB_WAIT_CANCELLED) {
            return gave_up(cx, wait);
        }
        if (too_long) {
            return sqlstate_lost(cx);
        }
    }
    status = connect_and_listen(cx, listener);
    if (status.code != CODE_OK) {
        note_failure(listener);
        return status;
    }
    listener->failures = 0;
    *ret_connected = true;
    return STATUS_OK;
}

static bool take_notifications(PGconn *link)
{
    bool any = false;

    for (;;) {
        PGnotify *notification = PQnotifies(link);

        if (notification == NULL) {
            return any;
        }
        any = true;
        PQfreemem(notification);
    }
}

struct status
db_listener_wait(struct ctx *cx, struct db_listener *listener, int64_t timeout_ms, bool *ret_woken)
{
    const struct db_waiter waiter = {cx->canceller, listener->wake_fd};
    const int64_t timeout_us = deadline_in_ms(timeout_ms);
    const bool call_first = cx->deadline_us < timeout_us;
    const int64_t until_us = call_first ? cx->deadline_us : timeout_us;
    bool woken = false;

    if (listener->connection == NULL) {
        TRY(ensure_connected(cx, listener, until_us, &woken));
    }
    assert(listener->connection != NULL);
    while (!woken) {
        struct db_connection *connection = listener->connection;
        const enum db_wait wait = db_wait(&waiter, PQsocket(connection->link), POLLIN, until_us);

        if (wait == DB_WAIT_CANCELLED || (wait == DB_WAIT_DEADLINE && call_first)) {
            return gave_up(cx, wait);
        }
        if (wait == DB_WAIT_DEADLINE) {
            break;
        }
        if (!db_connection_alive(connection)) {
            note_failure(listener);
            return sqlstate_lost(cx);
        }
        woken = take_notifications(connection->link);
    }
    *ret_woken = woken;
    return STATUS_OK;
}
