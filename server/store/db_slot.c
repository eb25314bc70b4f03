/* The pool: who gets a connection, who waits, and who is told at once that there is none. */

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/db_internal.h"
#include "store/db_wait_internal.h"

/* After a failed attempt nobody tries before this; doubled with each further failure. */
#define BACKOFF_MS_MIN 50
#define BACKOFF_MS_MAX 2000
/* A caller with less patience than the attempt needs says nothing about the database. */
#define PATIENCE_MS_MIN 250
/* Whoever waits looks this often whether its peer has given up. */
#define LOOK_MS 25

static void push(struct db_slot **list, struct db_slot *slot)
{
    slot->next = *list;
    *list = slot;
}

static struct db_slot *pop(struct db_slot **list)
{
    struct db_slot *slot = *list;

    assert(slot != NULL);
    *list = slot->next;
    slot->next = NULL;
    return slot;
}

static void count_in_use(struct db *db, int change)
{
    db->in_use = (uint32_t)((int)db->in_use + change);
    metric_gauge(METRIC_DB_POOL_IN_USE, (int64_t)db->in_use);
}

static struct status unavailable(struct ctx *cx, int64_t retry_ms)
{
    return status_retry(
        status_of(cx, REASON_DATABASE_UNAVAILABLE),
        retry_ms < BACKOFF_MS_MIN ? BACKOFF_MS_MIN : retry_ms);
}

/* Called with the mutex held. */
static void note_failure(struct db *db, struct status status)
{
    const uint32_t doublings = db->failures < 6 ? db->failures : 6;
    int64_t backoff_ms = (int64_t)BACKOFF_MS_MIN << doublings;

    backoff_ms = backoff_ms < BACKOFF_MS_MAX ? backoff_ms : BACKOFF_MS_MAX;
    db->failures++;
    db->retry_at_us = deadline_in_ms(db_wait_jitter_ms(backoff_ms));
    snprintf(db->last_error, sizeof db->last_error, "%s", status_message(status));
}

static bool tells_about_database(struct status status, int64_t took_us)
{
    switch (status_reason(status)) {
    case REASON_DATABASE_UNAVAILABLE:
        return true;
    case REASON_DEADLINE_EXCEEDED:
        return took_us >= PATIENCE_MS_MIN * INT64_C(1000);
    default:
        return false;
    }
}

/* Connects a slot that this thread has taken out of the list of empty ones. */
static struct status connect_slot(struct ctx *cx, struct db *db, struct db_slot *slot)
{
    const int64_t started_us = monotonic_us();
    struct status status =
        db_connection_open(cx, db->target, &db->session, slot->wake_fd, &slot->connection);
    bool turned = false;

    pthread_mutex_lock(&db->mutex);
    db->connecting--;
    if (status.code == CODE_OK) {
        turned = db->failures > 0;
        db->failures = 0;
        db->last_error[0] = '\0';
        count_in_use(db, 1);
    } else {
        push(&db->empty, slot);
        if (tells_about_database(status, monotonic_us() - started_us)) {
            turned = db->failures == 0;
            note_failure(db, status);
        }
    }
    pthread_cond_broadcast(&db->changed);
    pthread_mutex_unlock(&db->mutex);
    if (turned && status.code == CODE_OK) {
        log_info(cx, "database reached again");
    } else if (turned) {
        log_warn(cx, "could not connect to the database", LOG_STATUS(status));
    }
    if (status_reason(status) == REASON_DATABASE_UNAVAILABLE) {
        return unavailable(cx, BACKOFF_MS_MIN); /* the host names are for the log */
    }
    return status;
}

enum choice {
    CHOICE_IDLE,
    CHOICE_CONNECT,
    CHOICE_WAIT,
    CHOICE_UNAVAILABLE
};

/* What can be done now; called with the mutex held. While the database is known to be away a single
 * caller tries at a time, after the back-off; the others are told at once, unless a connection that
 * still works may come back. */
static enum choice choose(const struct db *db)
{
    if (db->idle != NULL) {
        return CHOICE_IDLE;
    }
    if (db->empty == NULL) {
        return CHOICE_WAIT;
    }
    if (db->failures == 0) {
        return CHOICE_CONNECT;
    }
    if (db->connecting == 0 && monotonic_us() >= db->retry_at_us) {
        return CHOICE_CONNECT;
    }
    return db->in_use > 0 ? CHOICE_WAIT : CHOICE_UNAVAILABLE;
}

/* Waits for a change; called with the mutex held. False when the time is over. */
static bool wait_for_change(struct ctx *cx, struct db *db, int64_t give_up_us)
{
    const int64_t look_us = monotonic_us() + LOOK_MS * INT64_C(1000);
    const int64_t until_us = look_us < give_up_us ? look_us : give_up_us;
    const struct timespec until = {
        .tv_sec = until_us / 1000000,
        .tv_nsec = until_us % 1000000 * 1000,
    };

    pthread_cond_timedwait(&db->changed, &db->mutex, &until);
    return !ctx_gone(cx) && monotonic_us() < give_up_us;
}

static struct status waited_too_long(struct ctx *cx, const struct db *db)
{
    TRY(db_call_check(cx));
    if (db->failures > 0) {
        return unavailable(cx, deadline_left_ms(db->retry_at_us, BACKOFF_MS_MAX));
    }
    return status_retry(
        status_fail(cx, REASON_SERVER_OVERLOADED, "all database connections are in use"),
        BACKOFF_MS_MIN);
}

/* A slot that is connected (*ret_idle) or has to be. */
static struct status take_slot(
    struct ctx *cx, struct db *db, int64_t give_up_us, struct db_slot **ret_slot, bool *ret_idle)
{
    struct status status = STATUS_OK;
    bool taken = false;

    pthread_mutex_lock(&db->mutex);
    while (!taken && status.code == CODE_OK) {
        switch (choose(db)) {
        case CHOICE_IDLE:
            *ret_slot = pop(&db->idle);
            *ret_idle = true;
            count_in_use(db, 1);
            taken = true;
            break;
        case CHOICE_CONNECT:
            *ret_slot = pop(&db->empty);
            *ret_idle = false;
            db->connecting++;
            taken = true;
            break;
        case CHOICE_UNAVAILABLE:
            status = unavailable(cx, deadline_left_ms(db->retry_at_us, BACKOFF_MS_MAX));
            break;
        case CHOICE_WAIT:
            if (!wait_for_change(cx, db, give_up_us)) {
                status = waited_too_long(cx, db);
            }
            break;
        }
    }
    pthread_mutex_unlock(&db->mutex);
    return status;
}

struct status db_slot_acquire(struct ctx *cx, struct db *db, struct db_slot **ret_slot)
{
    const int64_t limit_us = deadline_in_ms(db->acquire_ms_max);
    const int64_t give_up_us = limit_us < cx->deadline_us ? limit_us : cx->deadline_us;
    struct db_slot *slot = NULL;
    bool idle = false;

    if (!cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    TRY(take_slot(cx, db, give_up_us, &slot, &idle));
    while (idle && !db_connection_alive(slot->connection)) {
        db_slot_release(db, slot); /* the server closed it while it was idle */
        TRY(take_slot(cx, db, give_up_us, &slot, &idle));
    }
    if (!idle) {
        TRY(connect_slot(cx, db, slot));
    }
    *ret_slot = slot;
    return STATUS_OK;
}

void db_slot_release(struct db *db, struct db_slot *slot)
{
    struct db_connection *closing = NULL;

    if (!db_connection_reusable(slot->connection)) {
        closing = TAKE(slot->connection);
    }
    db_connection_close(closing);
    pthread_mutex_lock(&db->mutex);
    push(slot->connection == NULL ? &db->empty : &db->idle, slot);
    count_in_use(db, -1);
    pthread_cond_signal(&db->changed);
    pthread_mutex_unlock(&db->mutex);
}
