#include "base/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/heap.h"

static void items_come_out_in_the_order_they_went_in(void **state)
{
    struct queue *queue = queue_new(3);
    int items[10];

    (void)state;
    for (size_t i = 0; i + 1 < ARRAY_LEN(items); i++) {
        assert_true(queue_put(queue, &items[i]));
        assert_true(queue_put(queue, &items[i + 1]));
        assert_int_equal(queue_depth(queue), 2);
        assert_ptr_equal(queue_take(queue), &items[i]);
        assert_ptr_equal(queue_take(queue), &items[i + 1]);
    }
    queue_free(queue);
}

static void a_full_queue_refuses_at_once(void **state)
{
    struct queue *queue = queue_new(2);
    struct queue *none = queue_new(0);
    int item = 0;

    (void)state;
    assert_true(queue_put(queue, &item));
    assert_true(queue_put(queue, &item));
    assert_false(queue_put(queue, &item));
    assert_ptr_equal(queue_take(queue), &item);
    assert_true(queue_put(queue, &item));
    assert_false(queue_put(none, &item));
    queue_free(queue);
    queue_free(none);
}

static void a_closed_queue_gives_what_it_has_and_then_nothing(void **state)
{
    struct queue *queue = queue_new(2);
    void *items[2];
    int item = 0;

    (void)state;
    assert_true(queue_put(queue, &item));
    queue_close(queue);
    assert_false(queue_put(queue, &item));
    assert_ptr_equal(queue_take(queue), &item);
    assert_null(queue_take(queue));
    assert_int_equal(queue_take_many(queue, items, 2), 0);
    queue_free(queue);
}

static void many_are_taken_at_once_across_the_end_of_the_ring(void **state)
{
    struct queue *queue = queue_new(4);
    void *taken[8];
    int items[6];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(queue_put(queue, &items[i]));
    }
    assert_int_equal(queue_take_many(queue, taken, 2), 2);
    for (size_t i = 3; i < 6; i++) {
        assert_true(queue_put(queue, &items[i]));
    }
    assert_int_equal(queue_take_many(queue, taken, 8), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(taken[i], &items[i + 2]);
    }
    queue_free(queue);
}

static void without_memory_there_is_no_queue(void **state)
{
    (void)state;
    heap_fail_after(0);
    assert_null(queue_new(10));
    heap_fail_after(-1);
    assert_null(queue_new(SIZE_MAX));
    assert_null(queue_new(SIZE_MAX / 8));
    queue_free(NULL);
}

#define PRODUCERS 3
#define CONSUMERS 3
#define ITEMS_EACH 5000

struct traffic {
    struct queue *queue;
    _Atomic int seen[PRODUCERS * ITEMS_EACH];
    _Atomic int out_of_order;
};

struct producer {
    struct traffic *traffic;
    size_t first;
};

static void *produce(void *data)
{
    const struct producer *producer = data;

    for (size_t i = 0; i < ITEMS_EACH; i++) {
        _Atomic int *item = &producer->traffic->seen[producer->first + i];

        while (!queue_put(producer->traffic->queue, item)) {
            usleep(10);
        }
    }
    return NULL;
}

/* What one taker gets from one producer is in the order of that producer. */
static void *consume(void *data)
{
    struct traffic *traffic = data;
    size_t last[PRODUCERS] = {0};
    void *items[7];
    size_t count = 0;

    while ((count = queue_take_many(traffic->queue, items, ARRAY_LEN(items))) > 0) {
        for (size_t i = 0; i < count; i++) {
            _Atomic int *item = items[i];
            const size_t number = (size_t)(item - traffic->seen);

            if (number % ITEMS_EACH < last[number / ITEMS_EACH]) {
                traffic->out_of_order++;
            }
            last[number / ITEMS_EACH] = number % ITEMS_EACH;
            (*item)++;
        }
    }
    return NULL;
}

static void every_item_of_many_threads_is_taken_once_and_in_order(void **state)
{
    struct traffic *traffic = heap_new(sizeof *traffic);
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS + CONSUMERS];

    (void)state;
    traffic->queue = queue_new(64);
    for (size_t i = 0; i < CONSUMERS; i++) {
        pthread_create(&threads[PRODUCERS + i], NULL, consume, traffic);
    }
    for (size_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){traffic, i * ITEMS_EACH};
        pthread_create(&threads[i], NULL, produce, &producers[i]);
    }
    for (size_t i = 0; i < PRODUCERS; i++) {
        pthread_join(threads[i], NULL);
    }
    queue_close(traffic->queue);
    for (size_t i = 0; i < CONSUMERS; i++) {
        pthread_join(threads[PRODUCERS + i], NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(traffic->seen); i++) {
        assert_int_equal(traffic->seen[i], 1);
    }
    assert_int_equal(traffic->out_of_order, 0);
    queue_free(traffic->queue);
    heap_free(traffic);
}

static void *take_one(void *data)
{
    return queue_take(data);
}

static void closing_wakes_everybody_who_waits(void **state)
{
    struct queue *queue = queue_new(4);
    pthread_t threads[3];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i], NULL, take_one, queue);
    }
    usleep(20000);
    queue_close(queue);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *item = queue;

        pthread_join(threads[i], &item);
        assert_null(item);
    }
    queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_the_order_they_went_in),
        cmocka_unit_test(a_full_queue_refuses_at_once),
        cmocka_unit_test(a_closed_queue_gives_what_it_has_and_then_nothing),
        cmocka_unit_test(many_are_taken_at_once_across_the_end_of_the_ring),
        cmocka_unit_test(without_memory_there_is_no_queue),
        cmocka_unit_test(every_item_of_many_threads_is_taken_once_and_in_order),
        cmocka_unit_test(closing_wakes_everybody_who_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
