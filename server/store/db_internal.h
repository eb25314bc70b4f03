#pragma once

/* What the pool and the transactions share.
 * Private to store/. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "store/db.h"
#include "store/db_connection_internal.h"
#include "store/db_target_internal.h"
#include "store/event_log.h"

struct tx {
    struct db *db;
    struct db_slot *slot;
    struct db_connection *connection;
    bool begun;                 /* BEGIN was queued */
    bool failed;                /* a statement failed; only a rollback can follow */
    bool committed;             /* nothing is open any more */
    struct event_queue *events; /* store/event_queue_internal.h; NULL: none */
};

/* A place for one connection. The eventfd stays when the connection goes: a canceller may still
 * write to it. */
struct db_slot {
    struct db_slot *next; /* in one of the two lists of the pool */
    struct db_connection *connection;
    int wake_fd;
    struct tx tx;
};

#define DB_ERROR_SIZE 512

struct db {
    struct db_target *target;
    struct db_session session;
    char *application_name;
    int64_t acquire_ms_max;
    event_observer observer; /* NULL: nobody listens to our own commits */
    void *observer_user;

    pthread_mutex_t mutex; /* guards all below; never held while anything is awaited */
    pthread_cond_t changed;
    struct db_slot *slots;
    uint32_t slot_count;
    struct db_slot *idle;  /* connected; last in, first out, so that few stay warm */
    struct db_slot *empty; /* not connected */
    uint32_t in_use;
    uint32_t connecting;
    uint32_t failures;   /* attempts to connect that failed in a row */
    int64_t retry_at_us; /* monotonic; nobody tries before it while failures > 0 */
    char last_error[DB_ERROR_SIZE];
};

/* A connected slot for this thread alone. Fails with WOULD_BLOCK, SERVER_OVERLOADED,
 * DATABASE_UNAVAILABLE, CANCELLED, DEADLINE_EXCEEDED. */
struct status db_slot_acquire(struct ctx *cx, struct db *db, struct db_slot **ret_slot) MUST_CHECK;

/* Gives it back; a connection that is not clean is closed. */
void db_slot_release(struct db *db, struct db_slot *slot);

/* What every call asks first: is there still somebody who wants the answer, and was there memory
 * for the parameters. */
struct status db_call_check(struct ctx *cx) MUST_CHECK;

/* A result as rows, or as the number of rows it changed. */
int64_t db_affected(const PGresult *result);
