#include "feed/hub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/heap.h"

#define TOPICS 1024

struct shared_event {
    _Atomic int64_t references;
    struct event event;
    char texts[]; /* payload, request id */
};

struct subscriber {
    struct subscriber *next;
    struct subscriber **link; /* what points at us */
    int64_t org_id;
    void (*wake)(void *user);
    void *user;
    struct shared_event *ring[HUB_RING_MAX];
    size_t first;
    size_t count;
    bool waiting; /* found nothing: the next event wakes */
    bool ticked;
};

/* Subscribers of an organisation hang in one list, found by the organisation's number. The lock is
 * held while wake functions run: they only put a job into a queue. */
struct hub {
    pthread_mutex_t lock;
    size_t subscribers_max;
    size_t count;
    struct subscriber *topics[TOPICS];
};

const struct event *shared_event_get(const struct shared_event *shared)
{
    return &shared->event;
}

void shared_event_put(struct shared_event *shared)
{
    if (shared != NULL &&
        atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) == 1) {
        heap_free(shared);
    }
}

static struct shared_event *shared_event_new(const struct event *event)
{
    const char *request_id = event->request_id == NULL ? "" : event->request_id;
    const size_t payload_size = strlen(event->payload) + 1;
    const size_t request_id_size = strlen(request_id) + 1;
    struct shared_event *shared = heap_new(sizeof *shared + payload_size + request_id_size);

    if (shared != NULL) {
        atomic_init(&shared->references, 1);
        shared->event = *event;
        memcpy(shared->texts, event->payload, payload_size);
        memcpy(shared->texts + payload_size, request_id, request_id_size);
        shared->event.payload = shared->texts;
        shared->event.request_id = shared->texts + payload_size;
    }
    return shared;
}

struct hub *hub_new(size_t subscribers_max)
{
    struct hub *hub = heap_new(sizeof *hub);

    if (hub != NULL) {
        pthread_mutex_init(&hub->lock, NULL);
        hub->subscribers_max = subscribers_max;
    }
    return hub;
}

static void ring_clear(struct subscriber *subscriber)
{
    while (subscriber->count > 0) {
        shared_event_put(subscriber->ring[subscriber->first]);
        subscriber->first = (subscriber->first + 1) % HUB_RING_MAX;
        subscriber->count--;
    }
}

void hub_free(struct hub *hub)
{
    if (hub != NULL) {
        pthread_mutex_destroy(&hub->lock);
        heap_free(hub);
    }
}

static struct subscriber **topic_of(struct hub *hub, int64_t org_id)
{
    return &hub->topics[(uint64_t)org_id % TOPICS];
}

struct subscriber *
hub_subscribe(struct hub *hub, int64_t org_id, void (*wake)(void *user), void *user)
{
    struct subscriber *subscriber = heap_new(sizeof *subscriber);
    struct subscriber **topic = topic_of(hub, org_id);

    if (subscriber == NULL) {
        return NULL;
    }
    subscriber->org_id = org_id;
    subscriber->wake = wake;
    subscriber->user = user;
    pthread_mutex_lock(&hub->lock);
    if (hub->count >= hub->subscribers_max) {
        pthread_mutex_unlock(&hub->lock);
        heap_free(subscriber);
        return NULL;
    }
    hub->count++;
    subscriber->next = *topic;
    subscriber->link = topic;
    if (*topic != NULL) {
        (*topic)->link = &subscriber->next;
    }
    *topic = subscriber;
    pthread_mutex_unlock(&hub->lock);
    return subscriber;
}

void hub_unsubscribe(struct hub *hub, struct subscriber *subscriber)
{
    if (subscriber == NULL) {
        return;
    }
    pthread_mutex_lock(&hub->lock);
    *subscriber->link = subscriber->next;
    if (subscriber->next != NULL) {
        subscriber->next->link = subscriber->link;
    }
    hub->count--;
    pthread_mutex_unlock(&hub->lock);
    ring_clear(subscriber);
    heap_free(subscriber);
}

struct shared_event *hub_next(struct hub *hub, struct subscriber *subscriber, bool *ret_ticked)
{
    struct shared_event *shared = NULL;

    pthread_mutex_lock(&hub->lock);
    *ret_ticked = subscriber->ticked;
    subscriber->ticked = false;
    subscriber->waiting = false;
    if (subscriber->count > 0) {
        shared = subscriber->ring[subscriber->first];
        subscriber->first = (subscriber->first + 1) % HUB_RING_MAX;
        subscriber->count--;
    } else {
        subscriber->waiting = !*ret_ticked; /* a tick is answered first, with a heartbeat */
    }
    pthread_mutex_unlock(&hub->lock);
    return shared;
}

static void wake(struct subscriber *subscriber)
{
    if (subscriber->waiting) {
        subscriber->waiting = false;
        subscriber->wake(subscriber->user);
    }
}

void hub_publish(struct hub *hub, const struct event *event)
{
    struct shared_event *shared = NULL;

    pthread_mutex_lock(&hub->lock);
    for (struct subscriber *s = *topic_of(hub, event->org_id); s != NULL; s = s->next) {
        if (s->org_id != event->org_id) {
            continue;
        }
        if (shared == NULL) {
            shared = shared_event_new(event);
        }
        if (s->count == HUB_RING_MAX || shared == NULL) {
            ring_clear(s);
        }
        if (shared != NULL) {
            atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
            s->ring[(s->first + s->count++) % HUB_RING_MAX] = shared;
        }
        wake(s);
    }
    pthread_mutex_unlock(&hub->lock);
    shared_event_put(shared);
}

void hub_tick(struct hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < TOPICS; i++) {
        for (struct subscriber *s = hub->topics[i]; s != NULL; s = s->next) {
            if (s->waiting) {
                s->ticked = true;
                wake(s);
            }
        }
    }
    pthread_mutex_unlock(&hub->lock);
}

void hub_wake_all(struct hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < TOPICS; i++) {
        for (struct subscriber *s = hub->topics[i]; s != NULL; s = s->next) {
            wake(s);
        }
    }
    pthread_mutex_unlock(&hub->lock);
}

size_t hub_count(struct hub *hub)
{
    size_t count = 0;

    pthread_mutex_lock(&hub->lock);
    count = hub->count;
    pthread_mutex_unlock(&hub->lock);
    return count;
}
