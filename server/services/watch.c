#include "services/watch.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/heap.h"
#include "base/wallclock.h"
#include "feed/hub.h"
#include "services/api_keys.h"
#include "services/services.h"
#include "store/event_log.h"

#define PAGE 100

struct watch {
    struct services *services;
    struct subscriber *subscriber;
    int64_t org_id;
    int64_t seq;       /* given up to here */
    int64_t known_seq; /* what is known to be in the log: read up to there before the ring */
    bool ready;
    bool key_changed; /* some key of the organisation was changed since it was last looked at */
    int64_t key_expires_us; /* of the key that opened the stream; 0: never */
    struct watch_filter filter;
    /* A page of the past that is being given, in an arena of its own. */
    struct arena arena;
    struct event_log_page page;
    size_t page_at;
    struct id customers[];
};

static struct status expired(struct ctx *cx, const struct event_log_range *range)
{
    return status_pair(
        cx,
        status_fail(
            cx,
            REASON_RESUME_TOKEN_EXPIRED,
            "the resume token is older than the history: start again without one"),
        "earliest_sequence",
        arena_printf(cx->arena, "%lld", (long long)range->floor_seq));
}

struct status watch_open(
    struct ctx *cx,
    struct services *services,
    const struct watch_filter *filter,
    int64_t after_seq,
    void (*wake)(void *user),
    void *user,
    struct watch **ret_watch)
{
    struct event_log_range range = {0, 0};
    struct status status;
    struct watch *watch = NULL;

    if (!cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    watch = heap_new(sizeof *watch + filter->customer_count * sizeof watch->customers[0]);
    if (watch == NULL) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    watch->services = services;
    watch->org_id = cx->caller.org_id;
    watch->key_changed = true; /* looked at once, for its end */
    watch->filter = *filter;
    watch->filter.customers = watch->customers;
    if (filter->customer_count > 0) {
        memcpy(
            watch->customers,
            filter->customers,
            filter->customer_count * sizeof watch->customers[0]);
    }
    /* Subscribed before the position is read: whatever is committed from here on is in the ring. */
    watch->subscriber = hub_subscribe(services->hub, watch->org_id, wake, user);
    if (watch->subscriber == NULL) {
        heap_free(watch);
        return status_retry(
            status_fail(
                cx, REASON_STREAM_LIMIT_REACHED, "too many streams are open on this server"),
            5000);
    }
    status = event_log_floor(cx, services->db, watch->org_id, &range);
    /* A position that was never reached is of a history that a failover has cut off. */
    if (status.code == CODE_OK && after_seq >= 0 &&
        (after_seq < range.floor_seq - 1 || after_seq > range.head_seq)) {
        status = expired(cx, &range);
    }
    if (status.code != CODE_OK) {
        watch_close(watch);
        return status;
    }
    watch->seq = after_seq < 0 ? range.head_seq : after_seq;
    watch->known_seq = range.head_seq;
    *ret_watch = watch;
    return STATUS_OK;
}

static bool wanted(struct watch *watch, const struct event *event)
{
    const struct watch_filter *filter = &watch->filter;
    bool of_customer = filter->customer_count == 0;

    if (event->type == EVENT_API_KEY_CHANGED) {
        watch->key_changed = true;
    }
    if (filter->types == 0 ? event_type_internal(event->type)
                           : (filter->types >> event->type & 1) == 0) {
        return false;
    }
    if (event_type_severity(event->type) < filter->severity_min) {
        return false;
    }
    for (size_t i = 0; i < filter->customer_count && !of_customer; i++) {
        of_customer = id_equal(&filter->customers[i], &event->customer_id);
    }
    return of_customer;
}

static bool take_entry(struct watch *watch, const struct event_log_entry *entry, struct event *ret)
{
    *ret = (struct event){
        .customer_id = entry->customer_id,
        .subscription_id = entry->subscription_id,
        .payload = entry->payload,
        .event_id = entry->event_id,
        .org_id = entry->org_id,
        .seq = entry->seq,
        .created_us = entry->created_us,
        .request_id = entry->request_id,
    };
    watch->seq = entry->seq;
    return event_type_parse(entry->type, &ret->type) && wanted(watch, ret);
}

static void drop_page(struct watch *watch)
{
    if (watch->page.entries != NULL) {
        arena_release(&watch->arena);
    }
    watch->page = (struct event_log_page){NULL, 0};
    watch->page_at = 0;
}

static struct status read_page(struct ctx *cx, struct watch *watch)
{
    struct ctx inner = *cx;
    struct status status;

    drop_page(watch);
    arena_init(&watch->arena, NULL, 0, (size_t)4 * 1024 * 1024);
    inner.arena = &watch->arena;
    status =
        event_log_read(&inner, watch->services->db, watch->org_id, watch->seq, PAGE, &watch->page);
    if (status.code != CODE_OK) {
        watch->page.entries = NULL;
        arena_release(&watch->arena);
        return status_of(
            cx,
            status_reason(status) == REASON_WOULD_BLOCK ? REASON_WOULD_BLOCK
                                                        : REASON_DATABASE_UNAVAILABLE);
    }
    /* Something was announced. What is not there was cut off the history meanwhile. */
    if (watch->page.count == 0 || watch->page.entries[0].seq != watch->seq + 1) {
        return status_of(cx, REASON_RESUME_TOKEN_EXPIRED);
    }
    return STATUS_OK;
}

/* True when an event was found in what is left of the page. */
static bool next_of_page(struct ctx *cx, struct watch *watch, struct event *ret_event)
{
    while (watch->page_at < watch->page.count) {
        const struct event_log_entry *entry = &watch->page.entries[watch->page_at++];

        if (entry->seq > watch->seq && take_entry(watch, entry, ret_event)) {
            ret_event->payload = arena_text(cx->arena, ret_event->payload);
            ret_event->request_id = arena_text(cx->arena, ret_event->request_id);
            return true;
        }
    }
    drop_page(watch);
    return false;
}

enum ring_state {
    RING_EVENT,
    RING_GAP,
    RING_EMPTY
};

/* The end of a key is known beforehand and raises no event: at the latest a tick comes by. */
static struct status check_expiry(struct ctx *cx, const struct watch *watch)
{
    return watch->key_expires_us != 0 && watch->key_expires_us <= cx->now_us
               ? status_of(cx, REASON_API_KEY_EXPIRED)
               : STATUS_OK;
}

/* A key of the organisation was changed. If it is the one that opened this stream and it is closed
 * now, the stream ends: a leaked key must not go on listening. */
static struct status check_key(struct ctx *cx, struct watch *watch)
{
    struct api_key key;

    if (!watch->key_changed) {
        return check_expiry(cx, watch);
    }
    watch->key_changed = false;
    TRY(api_keys_get(cx, watch->services, &cx->caller.key_id, &key));
    watch->key_expires_us = key.expires_us;
    return key.revoked_us != 0 ? status_of(cx, REASON_API_KEY_REVOKED) : check_expiry(cx, watch);
}

static enum ring_state
next_of_ring(struct ctx *cx, struct watch *watch, struct event *ret_event, bool *ret_ticked)
{
    struct shared_event *shared = NULL;

    while ((shared = hub_next(watch->services->hub, watch->subscriber, ret_ticked)) != NULL) {
        const struct event *event = shared_event_get(shared);
        enum ring_state state = RING_EMPTY;

        if (event->seq > watch->seq + 1) {
            /* What is missing may take many pages, and the ring may be empty before they are read.
             */
            watch->known_seq = event->seq;
            state = RING_GAP;
        } else if (event->seq == watch->seq + 1) {
            watch->seq = event->seq;
            if (wanted(watch, event)) {
                *ret_event = *event;
                ret_event->payload = arena_text(cx->arena, event->payload);
                ret_event->request_id = arena_text(cx->arena, event->request_id);
                state = RING_EVENT;
            }
        }
        shared_event_put(shared);
        if (state != RING_EMPTY) {
            return state;
        }
    }
    return RING_EMPTY;
}

struct status watch_next(
    struct ctx *cx,
    struct watch *watch,
    enum watch_next *ret_next,
    struct event *ret_event,
    int64_t *ret_seq)
{
    bool ticked = false;

    for (;;) {
        enum ring_state state = RING_GAP;

        TRY(check_key(cx, watch));
        if (next_of_page(cx, watch, ret_event)) {
            *ret_next = WATCH_EVENT;
            break;
        }
        if (watch->seq >= watch->known_seq) {
            if (!watch->ready) {
                watch->ready = true;
                *ret_next = WATCH_READY;
                break;
            }
            state = next_of_ring(cx, watch, ret_event, &ticked);
            if (watch->key_changed && state == RING_EMPTY) {
                continue;
            }
        }
        if (state == RING_EVENT) {
            *ret_next = WATCH_EVENT;
            break;
        }
        if (state == RING_EMPTY) {
            *ret_next = ticked ? WATCH_HEARTBEAT : WATCH_PENDING;
            break;
        }
        TRY(read_page(cx, watch));
    }
    *ret_seq = watch->seq;
    return STATUS_OK;
}

void watch_close(struct watch *watch)
{
    if (watch == NULL) {
        return;
    }
    hub_unsubscribe(watch->services->hub, watch->subscriber);
    drop_page(watch);
    heap_free(watch);
}
