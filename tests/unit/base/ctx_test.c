#include "base/ctx.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/deadline.h"

static void a_new_context_has_no_deadline_and_may_block(void **state)
{
    struct arena arena;
    struct ctx cx;

    (void)state;
    arena_init(&arena, NULL, 0, 1024);
    ctx_init(&cx, &arena, "job");
    assert_true(cx.may_block);
    assert_false(ctx_gone(&cx));
    assert_int_equal(ctx_left_ms(&cx, 5000), 5000);
    assert_string_equal(cx.request_id, "");
    assert_string_equal(cx.idempotency_key, "");
    assert_string_equal(cx.caller.actor, "job");
    arena_release(&arena);
}

static void a_context_past_its_deadline_is_gone(void **state)
{
    struct arena arena;
    struct ctx cx;

    (void)state;
    arena_init(&arena, NULL, 0, 1024);
    ctx_init(&cx, &arena, "job");
    cx.deadline_us = monotonic_us() - 1;
    assert_true(ctx_gone(&cx));
    assert_int_equal(ctx_left_ms(&cx, 5000), 0);
    cx.deadline_us = deadline_in_ms(60000);
    assert_false(ctx_gone(&cx));
    assert_int_equal(ctx_left_ms(&cx, 5000), 5000);
    arena_release(&arena);
}

static void *leave(void *data)
{
    struct canceller *canceller = data;

    atomic_store_explicit(&canceller->gone, true, memory_order_release);
    return NULL;
}

static void a_peer_that_gives_up_on_another_thread_is_seen(void **state)
{
    struct canceller canceller = {.gone = false, .wake_fd = -1};
    struct arena arena;
    struct ctx cx;
    pthread_t peer;

    (void)state;
    arena_init(&arena, NULL, 0, 1024);
    ctx_init(&cx, &arena, "job");
    cx.canceller = &canceller;
    assert_false(ctx_gone(&cx));
    assert_int_equal(pthread_create(&peer, NULL, leave, &canceller), 0);
    while (!ctx_gone(&cx)) {
    }
    pthread_join(peer, NULL);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_context_has_no_deadline_and_may_block),
        cmocka_unit_test(a_context_past_its_deadline_is_gone),
        cmocka_unit_test(a_peer_that_gives_up_on_another_thread_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
