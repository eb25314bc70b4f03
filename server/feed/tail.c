#include "feed/tail.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "store/db_listen.h"
#include "store/event_log.h"
#include "store/event_tail.h"

#define OBSERVERS_MAX 8
#define PAGE 500
#define LOOK_EVERY_MS 1000
#define TICK_EVERY_US (30 * US_PER_SECOND)
#define ARENA_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct tail {
    struct db *db;
    struct event_tail *position;
    struct db_listener *listener;
    struct tail_observer observers[OBSERVERS_MAX];
    size_t observer_count;
    pthread_t thread;
    bool started;
    bool following;
    int64_t ticked_us;
    struct canceller canceller; /* ends a wait when the tail is stopped */
    int wake_fd;                /* what it writes to; lives as long as the tail */
};

struct status tail_new(
    struct ctx *cx,
    struct db *db,
    const struct tail_observer *observers,
    size_t count,
    struct tail **ret_tail)
{
    struct tail *tail = heap_new(sizeof *tail);

    if (tail == NULL || count > OBSERVERS_MAX) {
        heap_free(tail);
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    tail->db = db;
    memcpy(tail->observers, observers, count * sizeof observers[0]);
    tail->observer_count = count;
    tail->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&tail->canceller.wake_fd, tail->wake_fd);
    tail->position = event_tail_new();
    if (tail->position == NULL || tail->wake_fd < 0) {
        tail_free(tail);
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    *ret_tail = tail;
    return STATUS_OK;
}

static void tell_event(struct tail *tail, const struct event_log_entry *entry)
{
    struct event event = {
        .customer_id = entry->customer_id,
        .subscription_id = entry->subscription_id,
        .payload = entry->payload,
        .event_id = entry->event_id,
        .org_id = entry->org_id,
        .seq = entry->seq,
        .created_us = entry->created_us,
        .request_id = entry->request_id,
    };

    if (!event_type_parse(entry->type, &event.type)) {
        return; /* of a newer version of the program; its readers know it */
    }
    for (size_t i = 0; i < tail->observer_count; i++) {
        if (tail->observers[i].event != NULL) {
            tail->observers[i].event(tail->observers[i].user, &event);
        }
    }
}

static void tell_followed(struct tail *tail, int64_t as_of_us)
{
    tail->following = true;
    for (size_t i = 0; i < tail->observer_count; i++) {
        if (tail->observers[i].followed != NULL) {
            tail->observers[i].followed(tail->observers[i].user, as_of_us);
        }
    }
}

static void tell_lost(struct tail *tail)
{
    for (size_t i = 0; i < tail->observer_count; i++) {
        if (tail->observers[i].lost != NULL) {
            tail->observers[i].lost(tail->observers[i].user);
        }
    }
    tail->following = false;
}

static void tell_tick(struct tail *tail)
{
    if (monotonic_us() - tail->ticked_us < TICK_EVERY_US) {
        return;
    }
    tail->ticked_us = monotonic_us();
    for (size_t i = 0; i < tail->observer_count; i++) {
        if (tail->observers[i].tick != NULL) {
            tail->observers[i].tick(tail->observers[i].user);
        }
    }
}

/* One page, in an arena of its own, told to the observers. The time is taken before the reading:
 * what was committed before it is in what has been told when the page is empty. */
static struct status read_page(struct ctx *cx, struct tail *tail, size_t *ret_count)
{
    struct event_log_page page = {NULL, 0};
    struct ctx inner = *cx;
    struct arena arena;
    struct status status;

    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    inner.arena = &arena;
    inner.now_us = wallclock_us();
    status = event_tail_read(&inner, tail->db, tail->position, PAGE, &page);
    if (status.code != CODE_OK) {
        log_debug(cx, "event log not readable", LOG_STATUS(status));
        arena_release(&arena);
        return status_of(cx, REASON_DATABASE_UNAVAILABLE);
    }
    for (size_t i = 0; i < page.count; i++) {
        tell_event(tail, &page.entries[i]);
    }
    if (page.count == 0) {
        tell_followed(tail, inner.now_us);
    }
    *ret_count = page.count;
    arena_release(&arena);
    return STATUS_OK;
}

static struct status read_all(struct ctx *cx, struct tail *tail)
{
    size_t count = 0;

    do {
        TRY(read_page(cx, tail, &count));
    } while (count > 0);
    return STATUS_OK;
}

static void turn(struct ctx *cx, struct tail *tail)
{
    const bool was_following = tail->following;
    struct status status;
    bool woken = false;

    status = db_listener_wait(cx, tail->listener, LOOK_EVERY_MS, &woken);
    if (status.code == CODE_OK) {
        status = read_all(cx, tail);
    }
    if (atomic_load(&tail->canceller.gone)) {
        return;
    }
    if (status.code != CODE_OK) {
        if (tail->following) {
            log_warn(cx, "event log lost, answering from memory", LOG_STATUS(status));
        }
        tell_lost(tail);
    } else if (!was_following) {
        log_info(cx, "event log followed again");
    }
    tell_tick(tail);
}

static void *run(void *user)
{
    struct tail *tail = user;

    while (!atomic_load(&tail->canceller.gone)) {
        struct arena arena;
        struct ctx cx;

        arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
        ctx_init(&cx, &arena, "feed/tail");
        cx.canceller = &tail->canceller;
        turn(&cx, tail);
        arena_release(&arena);
    }
    return NULL;
}

struct status tail_start(struct ctx *cx, struct tail *tail)
{
    TRY(db_listener_new(cx, tail->db, EVENT_LOG_CHANNEL, &tail->listener));
    TRY(event_tail_start(cx, tail->db, tail->position));
    tell_followed(tail, cx->now_us);
    tail->ticked_us = monotonic_us();
    if (pthread_create(&tail->thread, NULL, run, tail) != 0) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    tail->started = true;
    return STATUS_OK;
}

void tail_stop(struct tail *tail)
{
    if (tail == NULL || !tail->started) {
        return;
    }
    atomic_store(&tail->canceller.gone, true);
    (void)eventfd_write(tail->wake_fd, 1);
    pthread_join(tail->thread, NULL);
    tail->started = false;
}

void tail_free(struct tail *tail)
{
    if (tail == NULL) {
        return;
    }
    tail_stop(tail);
    db_listener_free(tail->listener);
    event_tail_free(tail->position);
    if (tail->wake_fd >= 0) {
        (void)close(tail->wake_fd);
    }
    heap_free(tail);
}
