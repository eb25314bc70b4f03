#include "base/arena.h"
#include "base/ctx.h"
#include "domain/event.h"
#include "store/db_internal.h"
#include "store/event_log.h"
#include "store/event_queue_internal.h"

#define FIRST_CAPACITY 8

struct event_queue {
    struct event_log_entry *entries;
    size_t count;
    size_t capacity;
};

static struct status grow(struct ctx *cx, struct event_queue *queue)
{
    const size_t capacity = queue->capacity == 0 ? FIRST_CAPACITY : 2 * queue->capacity;
    struct event_log_entry *entries = NULL;

    if (queue->count >= EVENT_LOG_APPEND_MAX) {
        return status_fail(
            cx,
            REASON_REQUEST_TOO_COSTLY,
            "the call raises more than %d events",
            EVENT_LOG_APPEND_MAX);
    }
    if (queue->count < queue->capacity) {
        return STATUS_OK;
    }
    entries = arena_try_alloc(cx->arena, capacity * sizeof *entries);
    if (entries == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < queue->count; i++) {
        entries[i] = queue->entries[i];
    }
    queue->entries = entries;
    queue->capacity = capacity;
    return STATUS_OK;
}

struct status event_log_add(struct ctx *cx, struct tx *tx, const struct event *event)
{
    if (tx->events == NULL) {
        tx->events = arena_try_alloc(cx->arena, sizeof *tx->events);
        if (tx->events == NULL) {
            return status_of(cx, REASON_REQUEST_TOO_COSTLY);
        }
    }
    TRY(grow(cx, tx->events));
    tx->events->entries[tx->events->count++] = (struct event_log_entry){
        .org_id = cx->caller.org_id,
        .event_id = id_new(cx->now_us),
        .type = event_type_name(event->type),
        .customer_id = event->customer_id,
        .subscription_id = event->subscription_id,
        .payload = event->payload == NULL ? "{}" : event->payload,
        .created_us = cx->now_us,
        .request_id = cx->idempotency_key,
    };
    return STATUS_OK;
}

struct status event_queue_append(struct ctx *cx, struct tx *tx)
{
    struct event_queue *queue = tx->events;

    return queue == NULL ? STATUS_OK : event_log_append(cx, tx, queue->entries, queue->count);
}

void event_queue_committed(struct tx *tx)
{
    struct event_queue *queue = tx->events;

    tx->events = NULL;
    for (size_t i = 0; queue != NULL && tx->db->observer != NULL && i < queue->count; i++) {
        tx->db->observer(tx->db->observer_user, &queue->entries[i]);
    }
}

void event_log_observe(struct db *db, event_observer observer, void *user)
{
    db->observer = observer;
    db->observer_user = user;
}
