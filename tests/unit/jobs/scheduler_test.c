#include "jobs/scheduler.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/log.h"

#define PATIENCE_MS 5000

/* What jobs do here, told through globals: a job is given nothing but the services. */
static _Atomic int64_t runs;
static _Atomic int64_t other_runs;
static _Atomic int64_t work_left;
static _Atomic int64_t failures_left;
static _Atomic int64_t at_once;
static _Atomic int64_t most_at_once;
static _Atomic bool dirty_context;

static int reset(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    atomic_store(&runs, 0);
    atomic_store(&other_runs, 0);
    atomic_store(&work_left, 0);
    atomic_store(&failures_left, 0);
    atomic_store(&at_once, 0);
    atomic_store(&most_at_once, 0);
    atomic_store(&dirty_context, false);
    return 0;
}

static struct status plain(struct ctx *cx, struct services *services, size_t *ret_done)
{
    (void)services;
    if (cx->caller.org_id != 0 || cx->arena->used_bytes != 0 || cx->deadline_us != INT64_MAX ||
        !cx->may_block) {
        atomic_store(&dirty_context, true);
    }
    cx->caller.org_id = 42;
    atomic_fetch_add(&runs, 1);
    *ret_done = 0;
    return STATUS_OK;
}

static struct status other(struct ctx *cx, struct services *services, size_t *ret_done)
{
    (void)cx;
    (void)services;
    atomic_fetch_add(&other_runs, 1);
    *ret_done = 0;
    return STATUS_OK;
}

static struct status busy(struct ctx *cx, struct services *services, size_t *ret_done)
{
    (void)cx;
    (void)services;
    atomic_fetch_add(&runs, 1);
    *ret_done = atomic_load(&work_left) > 0 ? 1 : 0;
    atomic_fetch_sub(&work_left, 1);
    return STATUS_OK;
}

static struct status failing(struct ctx *cx, struct services *services, size_t *ret_done)
{
    (void)services;
    atomic_fetch_add(&runs, 1);
    *ret_done = 0;
    return atomic_fetch_sub(&failures_left, 1) > 0 ? status_of(cx, REASON_DATABASE_UNAVAILABLE)
                                                   : STATUS_OK;
}

static struct status crowded(struct ctx *cx, struct services *services, size_t *ret_done)
{
    const int64_t now = atomic_fetch_add(&at_once, 1) + 1;
    int64_t most = atomic_load(&most_at_once);

    (void)cx;
    (void)services;
    while (most < now && !atomic_compare_exchange_weak(&most_at_once, &most, now)) {
    }
    usleep(20000);
    atomic_fetch_sub(&at_once, 1);
    atomic_fetch_add(&runs, 1);
    *ret_done = 1;
    return STATUS_OK;
}

/* Waits as store/db_wait.c does: for the eventfd that the canceller knows, else for one of its own
 * that it lends to it. */
static struct status waiting(struct ctx *cx, struct services *services, size_t *ret_done)
{
    const int own_fd = eventfd(0, EFD_CLOEXEC);
    int known_fd = -1;
    struct pollfd fd = {.fd = own_fd, .events = POLLIN};

    (void)services;
    *ret_done = 0;
    if (!atomic_compare_exchange_strong(&cx->canceller->wake_fd, &known_fd, own_fd)) {
        fd.fd = known_fd;
    }
    atomic_fetch_add(&runs, 1);
    while (!atomic_load(&cx->canceller->gone)) {
        poll(&fd, 1, PATIENCE_MS);
    }
    known_fd = own_fd;
    atomic_compare_exchange_strong(&cx->canceller->wake_fd, &known_fd, -1);
    close(own_fd);
    return status_of(cx, REASON_CANCELLED);
}

static bool reaches(_Atomic int64_t *value, int64_t wanted)
{
    const int64_t deadline_us = deadline_in_ms(PATIENCE_MS);

    while (atomic_load(value) < wanted) {
        if (deadline_left_ms(deadline_us, 1) == 0) {
            return false;
        }
        usleep(1000);
    }
    return true;
}

static struct scheduler *started(const struct job_thread *threads, size_t count)
{
    struct scheduler *scheduler = scheduler_new(NULL, threads, count);
    struct arena arena;
    struct ctx cx;

    arena_init(&arena, NULL, 0, (size_t)64 * 1024);
    ctx_init(&cx, &arena, "test");
    assert_non_null(scheduler);
    assert_int_equal(scheduler_start(&cx, scheduler).code, CODE_OK);
    arena_release(&arena);
    return scheduler;
}

static void a_job_runs_at_the_start_and_after_its_interval(void **state)
{
    static const struct job jobs[] = {{"plain", plain, 5}, {"other", other, 600000}};
    const struct job_thread threads[] = {{"keeping", jobs, 2, 1}};
    struct scheduler *scheduler = started(threads, 1);

    (void)state;
    assert_true(reaches(&runs, 10));
    assert_int_equal(atomic_load(&other_runs), 1);
    scheduler_free(scheduler);
    assert_false(atomic_load(&dirty_context));
}

static void a_job_that_found_work_runs_again_at_once(void **state)
{
    static const struct job jobs[] = {{"busy", busy, 600000}};
    const struct job_thread threads[] = {{"webhooks", jobs, 1, 1}};
    struct scheduler *scheduler = NULL;

    (void)state;
    atomic_store(&work_left, 50);
    scheduler = started(threads, 1);
    assert_true(reaches(&runs, 51));
    usleep(20000);
    assert_int_equal(atomic_load(&runs), 51);
    scheduler_free(scheduler);
}

static void a_wake_runs_the_jobs_of_one_thread_now(void **state)
{
    static const struct job jobs[] = {{"plain", plain, 600000}};
    static const struct job others[] = {{"other", other, 600000}};
    const struct job_thread threads[] = {{"webhooks", jobs, 1, 1}, {"keeping", others, 1, 1}};
    struct scheduler *scheduler = started(threads, 2);

    (void)state;
    assert_true(reaches(&runs, 1));
    assert_true(reaches(&other_runs, 1));
    for (int64_t i = 2; i < 10; i++) {
        scheduler_wake(scheduler, "webhooks");
        assert_true(reaches(&runs, i));
    }
    scheduler_wake(scheduler, "nobody");
    assert_int_equal(atomic_load(&other_runs), 1);
    scheduler_free(scheduler);
}

/* A failing job waits, whatever wakes it; and the others of its thread go on. */
static void a_failure_makes_a_job_wait_and_does_not_stop_the_others(void **state)
{
    static const struct job jobs[] = {{"failing", failing, 1000}, {"other", other, 5}};
    const struct job_thread threads[] = {{"keeping", jobs, 2, 1}};
    struct scheduler *scheduler = NULL;

    (void)state;
    atomic_store(&failures_left, 1000);
    scheduler = started(threads, 1);
    assert_true(reaches(&other_runs, 20));
    for (int i = 0; i < 20; i++) {
        scheduler_wake(scheduler, "keeping");
    }
    assert_true(reaches(&other_runs, 40));
    assert_true(atomic_load(&runs) <= 2);
    scheduler_free(scheduler);
}

static void a_job_that_works_again_keeps_its_interval(void **state)
{
    static const struct job jobs[] = {{"failing", failing, 2}};
    const struct job_thread threads[] = {{"keeping", jobs, 1, 1}};
    struct scheduler *scheduler = NULL;

    (void)state;
    atomic_store(&failures_left, 4);
    scheduler = started(threads, 1);
    assert_true(reaches(&runs, 100));
    scheduler_free(scheduler);
}

static void several_threads_may_run_one_list(void **state)
{
    static const struct job jobs[] = {{"crowded", crowded, 600000}};
    const struct job_thread threads[] = {{"webhooks", jobs, 1, 3}};
    struct scheduler *scheduler = started(threads, 1);

    (void)state;
    assert_true(reaches(&runs, 30));
    scheduler_free(scheduler);
    assert_int_equal(atomic_load(&most_at_once), 3);
}

static void a_list_without_threads_or_jobs_is_none(void **state)
{
    const struct job_thread threads[] = {{"empty", NULL, 0, 0}, {"idle", NULL, 0, 1}};
    struct scheduler *scheduler = started(threads, 2);

    (void)state;
    scheduler_wake(scheduler, "empty");
    scheduler_wake(scheduler, "idle");
    scheduler_stop(scheduler);
    scheduler_free(scheduler);
    scheduler_free(NULL);
    scheduler_stop(NULL);
}

static void stopping_reaches_every_job_that_waits(void **state)
{
    static const struct job jobs[] = {{"waiting", waiting, 600000}};
    const struct job_thread threads[] = {{"webhooks", jobs, 1, 4}};
    struct scheduler *scheduler = started(threads, 1);
    int64_t began_us = 0;

    (void)state;
    assert_true(reaches(&runs, 4));
    began_us = monotonic_us();
    scheduler_stop(scheduler);
    assert_true(monotonic_us() - began_us < 1000000);
    scheduler_free(scheduler);
}

static void one_that_was_never_started_can_be_freed(void **state)
{
    static const struct job jobs[] = {{"plain", plain, 5}};
    const struct job_thread threads[] = {{"keeping", jobs, 1, 1}};

    (void)state;
    scheduler_free(scheduler_new(NULL, threads, 1));
    assert_int_equal(atomic_load(&runs), 0);
}

#define SCHEDULER_TEST(function) cmocka_unit_test_setup(function, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCHEDULER_TEST(a_job_runs_at_the_start_and_after_its_interval),
        SCHEDULER_TEST(a_job_that_found_work_runs_again_at_once),
        SCHEDULER_TEST(a_wake_runs_the_jobs_of_one_thread_now),
        SCHEDULER_TEST(a_failure_makes_a_job_wait_and_does_not_stop_the_others),
        SCHEDULER_TEST(a_job_that_works_again_keeps_its_interval),
        SCHEDULER_TEST(several_threads_may_run_one_list),
        SCHEDULER_TEST(a_list_without_threads_or_jobs_is_none),
        SCHEDULER_TEST(stopping_reaches_every_job_that_waits),
        SCHEDULER_TEST(one_that_was_never_started_can_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
