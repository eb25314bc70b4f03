#include "rpc/rpc_workers.h"

#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc_fixture.h"

struct job {
    struct rpc_task task;
    sem_t *gate; /* NULL: done at once */
    _Atomic int *done;
    _Atomic int wake_fd;
};

static void run_job(struct rpc_task *task, struct rpc_worker *worker)
{
    struct job *job = (struct job *)task;

    atomic_store(&job->wake_fd, worker->wake_fd);
    if (job->gate != NULL) {
        sem_wait(job->gate);
    }
    atomic_fetch_add(job->done, 1);
}

static void every_task_runs_once(void **state)
{
    enum {
        JOBS = 500
    };
    struct rpc_workers *workers = NULL;
    struct job *jobs = heap_new(JOBS * sizeof *jobs);
    _Atomic int done = 0;

    assert_int_equal(rpc_workers_new(fixture_cx(state), "test", 4, JOBS, &workers).code, CODE_OK);
    assert_int_equal(rpc_workers_start(fixture_cx(state), workers).code, CODE_OK);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.task = {run_job}, .done = &done};
        assert_true(rpc_workers_put(workers, &jobs[i].task));
    }
    rpc_workers_stop(workers);
    assert_int_equal(done, JOBS);
    assert_false(rpc_workers_put(workers, &jobs[0].task));
    rpc_workers_free(workers);
    heap_free(jobs);
}

static void a_full_queue_refuses_at_once(void **state)
{
    struct ctx *cx = fixture_cx(state);
    struct rpc_workers *workers = NULL;
    _Atomic int done = 0;
    sem_t gate;
    struct job jobs[4];
    struct status status;

    sem_init(&gate, 0, 0);
    assert_int_equal(rpc_workers_new(cx, "test", 1, 2, &workers).code, CODE_OK);
    assert_int_equal(rpc_workers_start(cx, workers).code, CODE_OK);
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){.task = {run_job}, .gate = &gate, .done = &done, .wake_fd = -1};
    }
    assert_true(rpc_workers_put(workers, &jobs[0].task));
    while (atomic_load(&jobs[0].wake_fd) < 0) {
        usleep(1000);
    }
    assert_true(rpc_workers_put(workers, &jobs[1].task));
    assert_true(rpc_workers_put(workers, &jobs[2].task));
    assert_false(rpc_workers_put(workers, &jobs[3].task));
    status = rpc_workers_shed(cx, workers);
    assert_int_equal(status_reason(status), REASON_SERVER_OVERLOADED);
    assert_true(status.error->retry_ms > 0);
    assert_string_equal(status.error->pairs[0].value, "test");
    for (int i = 0; i < 3; i++) {
        sem_post(&gate);
    }
    rpc_workers_stop(workers);
    assert_int_equal(done, 3);
    rpc_workers_free(workers);
    sem_destroy(&gate);
}

static void a_wake_of_the_task_before_is_swallowed(void **state)
{
    struct ctx *cx = fixture_cx(state);
    struct rpc_workers *workers = NULL;
    _Atomic int done = 0;
    sem_t gate;
    struct job first;
    struct job second;
    struct pollfd wake;
    const uint64_t one = 1;

    sem_init(&gate, 0, 0);
    assert_int_equal(rpc_workers_new(cx, "test", 1, 2, &workers).code, CODE_OK);
    assert_int_equal(rpc_workers_start(cx, workers).code, CODE_OK);
    first = (struct job){.task = {run_job}, .gate = &gate, .done = &done, .wake_fd = -1};
    second = first;
    assert_true(rpc_workers_put(workers, &first.task));
    while (atomic_load(&first.wake_fd) < 0) {
        usleep(1000);
    }
    wake = (struct pollfd){.fd = atomic_load(&first.wake_fd), .events = POLLIN};
    assert_int_equal(write(wake.fd, &one, sizeof one), sizeof one);
    assert_int_equal(poll(&wake, 1, 0), 1);
    assert_true(rpc_workers_put(workers, &second.task));
    sem_post(&gate);
    while (atomic_load(&second.wake_fd) < 0) {
        usleep(1000);
    }
    assert_int_equal(poll(&wake, 1, 0), 0);
    sem_post(&gate);
    rpc_workers_free(workers);
    sem_destroy(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_task_runs_once, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses_at_once, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            a_wake_of_the_task_before_is_swallowed, fixture_new, fixture_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
