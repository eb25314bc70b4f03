#include "feed/hub.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"

#define ORG 7
#define EVENTS 20000
#define SUBSCRIBERS 4
#define VISITS 3000

static void count_wake(void *user)
{
    atomic_fetch_add((_Atomic int64_t *)user, 1);
}

static void publish(struct hub *hub, int64_t org_id, int64_t seq)
{
    char payload[] = "{\"a\":1}";
    const struct event event = {
        .type = EVENT_CUSTOMER_CREATED, .org_id = org_id, .seq = seq, .payload = payload};

    hub_publish(hub, &event);
    memset(payload, 'x', sizeof payload - 1); /* the hub has a copy */
}

/* The number of the next event; 0: there is none. */
static int64_t next(struct hub *hub, struct subscriber *subscriber)
{
    bool ticked = false;
    struct shared_event *shared = hub_next(hub, subscriber, &ticked);
    int64_t seq = 0;

    if (shared != NULL) {
        seq = shared_event_get(shared)->seq;
        assert_string_equal(shared_event_get(shared)->payload, "{\"a\":1}");
        shared_event_put(shared);
    }
    return seq;
}

static int setup(void **hub)
{
    *hub = hub_new(SUBSCRIBERS);
    return *hub == NULL ? -1 : 0;
}

static int teardown(void **hub)
{
    hub_free(*hub);
    return 0;
}

static void events_come_in_order_to_whom_they_concern(void **hub)
{
    _Atomic int64_t wakes = 0;
    struct subscriber *one = hub_subscribe(*hub, ORG, count_wake, &wakes);
    struct subscriber *two = hub_subscribe(*hub, ORG, count_wake, &wakes);
    struct subscriber *other = hub_subscribe(*hub, ORG + 1, count_wake, &wakes);
    /* Found in the same list, as 1024 lists are shared by all organisations. */
    struct subscriber *neighbour = hub_subscribe(*hub, ORG + 1024, count_wake, &wakes);

    assert_int_equal(hub_count(*hub), 4);
    for (int64_t seq = 1; seq <= 10; seq++) {
        publish(*hub, ORG, seq);
    }
    for (int64_t seq = 1; seq <= 10; seq++) {
        assert_int_equal(next(*hub, one), seq);
        assert_int_equal(next(*hub, two), seq);
    }
    assert_int_equal(next(*hub, one), 0);
    assert_int_equal(next(*hub, other), 0);
    assert_int_equal(next(*hub, neighbour), 0);
    hub_unsubscribe(*hub, one);
    hub_unsubscribe(*hub, two);
    hub_unsubscribe(*hub, other);
    hub_unsubscribe(*hub, neighbour);
    hub_unsubscribe(*hub, NULL);
    assert_int_equal(hub_count(*hub), 0);
}

static void the_ring_goes_round(void **hub)
{
    _Atomic int64_t wakes = 0;
    struct subscriber *subscriber = hub_subscribe(*hub, ORG, count_wake, &wakes);
    int64_t published = 0;
    int64_t seen = 0;

    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 1 + round % HUB_RING_MAX; i++) {
            publish(*hub, ORG, ++published);
        }
        while (seen < published) {
            assert_int_equal(next(*hub, subscriber), ++seen);
        }
    }
    hub_unsubscribe(*hub, subscriber);
}

static void a_full_ring_is_emptied_so_that_its_owner_sees_the_gap(void **hub)
{
    _Atomic int64_t wakes = 0;
    struct subscriber *slow = hub_subscribe(*hub, ORG, count_wake, &wakes);
    struct subscriber *quick = hub_subscribe(*hub, ORG, count_wake, &wakes);

    for (int64_t seq = 1; seq <= HUB_RING_MAX + 3; seq++) {
        publish(*hub, ORG, seq);
        assert_int_equal(next(*hub, quick), seq);
    }
    for (int64_t seq = HUB_RING_MAX + 1; seq <= HUB_RING_MAX + 3; seq++) {
        assert_int_equal(next(*hub, slow), seq);
    }
    assert_int_equal(next(*hub, slow), 0);
    hub_unsubscribe(*hub, slow);
    hub_unsubscribe(*hub, quick);
}

static void who_waits_is_woken_exactly_once(void **hub)
{
    _Atomic int64_t wakes = 0;
    struct subscriber *subscriber = hub_subscribe(*hub, ORG, count_wake, &wakes);

    publish(*hub, ORG, 1); /* nobody has looked yet, so nobody waits */
    assert_int_equal(wakes, 0);
    assert_int_equal(next(*hub, subscriber), 1);
    publish(*hub, ORG, 2); /* it found something and will look again */
    assert_int_equal(wakes, 0);
    assert_int_equal(next(*hub, subscriber), 2);
    assert_int_equal(next(*hub, subscriber), 0);
    for (int64_t seq = 3; seq < 10; seq++) {
        publish(*hub, ORG, seq);
        assert_int_equal(wakes, 1);
    }
    publish(*hub, ORG + 1, 1);
    hub_wake_all(*hub);
    hub_tick(*hub);
    assert_int_equal(wakes, 1);
    hub_unsubscribe(*hub, subscriber);
}

static void a_tick_reaches_who_waits_and_is_told_once(void **hub)
{
    _Atomic int64_t wakes = 0;
    struct subscriber *subscriber = hub_subscribe(*hub, ORG, count_wake, &wakes);
    bool ticked = true;

    assert_null(hub_next(*hub, subscriber, &ticked));
    assert_false(ticked);
    hub_tick(*hub);
    assert_int_equal(wakes, 1);
    assert_null(hub_next(*hub, subscriber, &ticked));
    assert_true(ticked);
    /* With the heartbeat it has something to do: it looks again before it waits. */
    hub_tick(*hub);
    assert_int_equal(wakes, 1);
    assert_null(hub_next(*hub, subscriber, &ticked));
    assert_false(ticked);
    hub_wake_all(*hub);
    assert_int_equal(wakes, 2);
    hub_unsubscribe(*hub, subscriber);
}

static void there_are_only_so_many_subscribers(void **hub)
{
    _Atomic int64_t wakes = 0;
    struct subscriber *all[SUBSCRIBERS];

    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        all[i] = hub_subscribe(*hub, (int64_t)i, count_wake, &wakes);
        assert_non_null(all[i]);
    }
    assert_null(hub_subscribe(*hub, ORG, count_wake, &wakes));
    hub_unsubscribe(*hub, all[0]);
    all[0] = hub_subscribe(*hub, ORG, count_wake, &wakes);
    assert_non_null(all[0]);
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        hub_unsubscribe(*hub, all[i]);
    }
}

/* An event that cannot be kept is a gap like any other. */
static void without_memory_the_gap_is_seen(void **hub)
{
    _Atomic int64_t wakes = 0;
    struct subscriber *subscriber = hub_subscribe(*hub, ORG, count_wake, &wakes);

    assert_int_equal(next(*hub, subscriber), 0);
    publish(*hub, ORG, 1);
    heap_fail_after(0);
    publish(*hub, ORG, 2);
    assert_null(hub_subscribe(*hub, ORG, count_wake, &wakes));
    heap_fail_after(-1);
    assert_int_equal(wakes, 1);
    publish(*hub, ORG, 3);
    assert_int_equal(next(*hub, subscriber), 3);
    hub_unsubscribe(*hub, subscriber);
}

/* --- threads -----------------------------------------------------------------------------------
 */

/* A subscriber as a stream is one: it sleeps until it is woken, and looks until there is nothing.
 */
struct reader {
    struct hub *hub;
    struct subscriber *subscriber;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t wakes;
    int64_t sleeps;
    int64_t seen;
    int64_t gaps;
    int64_t disorder;
};

static void wake_reader(void *user)
{
    struct reader *reader = user;

    pthread_mutex_lock(&reader->lock);
    reader->wakes++;
    pthread_cond_signal(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
}

static void sleep_until_woken(struct reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    reader->sleeps++;
    while (reader->wakes < reader->sleeps) {
        pthread_cond_wait(&reader->changed, &reader->lock);
    }
    pthread_mutex_unlock(&reader->lock);
}

static void *read_to_the_end(void *user)
{
    struct reader *reader = user;

    while (reader->seen < EVENTS) {
        bool ticked = false;
        struct shared_event *shared = hub_next(reader->hub, reader->subscriber, &ticked);

        if (shared == NULL) {
            if (!ticked) {
                sleep_until_woken(reader);
            }
            continue;
        }
        reader->gaps += shared_event_get(shared)->seq > reader->seen + 1;
        reader->disorder += shared_event_get(shared)->seq <= reader->seen;
        reader->seen = shared_event_get(shared)->seq;
        shared_event_put(shared);
    }
    return NULL;
}

static void *publish_all(void *user)
{
    struct hub *hub = user;

    for (int64_t seq = 1; seq <= EVENTS; seq++) {
        publish(hub, ORG, seq);
        if (seq % 1000 == 0) {
            hub_tick(hub);
        }
    }
    return NULL;
}

static void no_wake_is_missed_and_none_comes_twice(void **hub)
{
    struct reader readers[SUBSCRIBERS];
    pthread_t threads[SUBSCRIBERS];
    pthread_t publisher;

    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        readers[i] = (struct reader){.hub = *hub};
        pthread_mutex_init(&readers[i].lock, NULL);
        pthread_cond_init(&readers[i].changed, NULL);
        readers[i].subscriber = hub_subscribe(*hub, ORG, wake_reader, &readers[i]);
        pthread_create(&threads[i], NULL, read_to_the_end, &readers[i]);
    }
    pthread_create(&publisher, NULL, publish_all, *hub);
    pthread_join(publisher, NULL);
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        pthread_join(threads[i], NULL);
        hub_unsubscribe(*hub, readers[i].subscriber);
        assert_int_equal(readers[i].seen, EVENTS);
        assert_int_equal(readers[i].disorder, 0);
        assert_int_equal(readers[i].wakes, readers[i].sleeps);
        pthread_mutex_destroy(&readers[i].lock);
        pthread_cond_destroy(&readers[i].changed);
    }
}

/* Comes, looks, and goes while events are published; its memory goes with it. */
struct visitor {
    struct hub *hub;
    _Atomic bool gone;
    _Atomic int64_t woken_when_gone;
};

static void wake_visitor(void *user)
{
    struct visitor *visitor = user;

    if (atomic_load(&visitor->gone)) {
        atomic_fetch_add(&visitor->woken_when_gone, 1);
    }
}

static void *visit(void *user)
{
    struct visitor *result = user;

    for (int i = 0; i < VISITS; i++) {
        struct visitor *visitor = heap_new(sizeof *visitor);
        struct subscriber *subscriber = NULL;

        visitor->hub = result->hub;
        subscriber = hub_subscribe(visitor->hub, ORG, wake_visitor, visitor);
        if (subscriber != NULL) {
            for (int look = 0; look < i % 4; look++) {
                bool ticked = false;

                shared_event_put(hub_next(visitor->hub, subscriber, &ticked));
            }
            hub_unsubscribe(visitor->hub, subscriber);
        }
        atomic_store(&visitor->gone, true);
        result->woken_when_gone += atomic_load(&visitor->woken_when_gone);
        heap_free(visitor);
    }
    return NULL;
}

static void who_has_left_is_not_woken(void **hub)
{
    struct visitor visitors[3];
    pthread_t threads[3];
    pthread_t publisher;

    pthread_create(&publisher, NULL, publish_all, *hub);
    for (size_t i = 0; i < 3; i++) {
        visitors[i] = (struct visitor){.hub = *hub};
        pthread_create(&threads[i], NULL, visit, &visitors[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_join(publisher, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(visitors[i].woken_when_gone, 0);
    }
    assert_int_equal(hub_count(*hub), 0);
}

#define HUB_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(events_come_in_order_to_whom_they_concern),
        HUB_TEST(the_ring_goes_round),
        HUB_TEST(a_full_ring_is_emptied_so_that_its_owner_sees_the_gap),
        HUB_TEST(who_waits_is_woken_exactly_once),
        HUB_TEST(a_tick_reaches_who_waits_and_is_told_once),
        HUB_TEST(there_are_only_so_many_subscribers),
        HUB_TEST(without_memory_the_gap_is_seen),
        HUB_TEST(no_wake_is_missed_and_none_comes_twice),
        HUB_TEST(who_has_left_is_not_woken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
