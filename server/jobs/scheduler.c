#include "jobs/scheduler.h"

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

#define THREADS_MAX 32
#define JOBS_MAX 16
#define ARENA_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define FAILURE_PAUSE_MS_MAX 60000
#define IDLE_MS_MAX 60000

/* Each worker has its own canceller, with an eventfd for as long as it lives: whoever waits in a
 * job waits for that too, and one eventfd wakes one. */
struct worker {
    struct scheduler *scheduler;
    const struct job_thread *list;
    struct canceller canceller;
    int wake_fd;
    pthread_t thread;
    bool started;
    bool woken;
    struct {
        int64_t due_us;
        int64_t failures;
    } state[JOBS_MAX];
};

struct scheduler {
    struct services *services;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic bool stopping;
    struct worker workers[THREADS_MAX];
    size_t worker_count;
};

static bool
worker_init(struct worker *worker, struct scheduler *scheduler, const struct job_thread *list)
{
    worker->scheduler = scheduler;
    worker->list = list;
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&worker->canceller.wake_fd, worker->wake_fd);
    return worker->wake_fd >= 0 && list->job_count <= JOBS_MAX;
}

struct scheduler *
scheduler_new(struct services *services, const struct job_thread *threads, size_t count)
{
    bool made = true;
    struct scheduler *scheduler = heap_new(sizeof *scheduler);
    pthread_condattr_t attributes;

    if (scheduler == NULL) {
        return NULL;
    }
    scheduler->services = services;
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&scheduler->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    for (size_t i = 0; i < count; i++) {
        for (uint32_t n = 0; n < threads[i].threads && made; n++) {
            made =
                scheduler->worker_count < THREADS_MAX &&
                worker_init(&scheduler->workers[scheduler->worker_count++], scheduler, &threads[i]);
        }
    }
    if (!made) {
        scheduler_free(scheduler);
        return NULL;
    }
    return scheduler;
}

static void count_run(const struct job *job, const char *result)
{
    const char *const labels[] = {job->name, result};

    metric_add(metric_series(METRIC_JOB_RUNS, labels), 1);
}

static void note_failure(struct ctx *cx, struct worker *worker, size_t at, struct status status)
{
    const struct job *job = &worker->list->jobs[at];
    int64_t pause_ms = job->every_ms
                       << (worker->state[at].failures < 8 ? worker->state[at].failures : 8);

    if (worker->state[at].failures++ == 0) {
        log_warn(cx, "job failed, trying again", LOG_TEXT("job", job->name), LOG_STATUS(status));
    }
    pause_ms = pause_ms > FAILURE_PAUSE_MS_MAX ? FAILURE_PAUSE_MS_MAX : pause_ms;
    worker->state[at].due_us = monotonic_us() + pause_ms * 1000;
    count_run(job, "failed");
}

static void run_job(struct worker *worker, size_t at)
{
    const struct job *job = &worker->list->jobs[at];
    struct arena arena;
    struct ctx cx;
    struct status status;
    size_t done = 0;

    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    ctx_init(&cx, &arena, job->name);
    cx.canceller = &worker->canceller;
    status = job->run(&cx, worker->scheduler->services, &done);
    if (status.code != CODE_OK) {
        note_failure(&cx, worker, at, status);
    } else {
        if (worker->state[at].failures > 0) {
            log_info(&cx, "job works again", LOG_TEXT("job", job->name));
        }
        worker->state[at].failures = 0;
        worker->state[at].due_us = monotonic_us() + (done > 0 ? 0 : job->every_ms * 1000);
        count_run(job, done > 0 ? "worked" : "idle");
    }
    arena_release(&arena);
}

static bool stopping(struct scheduler *scheduler)
{
    return atomic_load(&scheduler->stopping);
}

/* Waits until the first job is due or somebody wakes; a wake makes every job due that is not in its
 * pause after a failure. */
static void wait_for_work(struct worker *worker)
{
    struct scheduler *scheduler = worker->scheduler;
    int64_t next_us = monotonic_us() + (int64_t)IDLE_MS_MAX * 1000;
    struct timespec until;

    for (size_t i = 0; i < worker->list->job_count; i++) {
        next_us = worker->state[i].due_us < next_us ? worker->state[i].due_us : next_us;
    }
    until.tv_sec = next_us / 1000000;
    until.tv_nsec = (next_us % 1000000) * 1000;
    pthread_mutex_lock(&scheduler->lock);
    while (!worker->woken && !stopping(scheduler) &&
           pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until) == 0) {
    }
    for (size_t i = 0; worker->woken && i < worker->list->job_count; i++) {
        if (worker->state[i].failures == 0) {
            worker->state[i].due_us = 0;
        }
    }
    worker->woken = false;
    pthread_mutex_unlock(&scheduler->lock);
}

static void *run(void *user)
{
    struct worker *worker = user;

    while (!stopping(worker->scheduler)) {
        for (size_t i = 0; i < worker->list->job_count && !stopping(worker->scheduler); i++) {
            if (worker->state[i].due_us <= monotonic_us()) {
                run_job(worker, i);
            }
        }
        wait_for_work(worker);
    }
    return NULL;
}

struct status scheduler_start(struct ctx *cx, struct scheduler *scheduler)
{
    for (size_t i = 0; i < scheduler->worker_count; i++) {
        struct worker *worker = &scheduler->workers[i];

        if (pthread_create(&worker->thread, NULL, run, worker) != 0) {
            return status_fail(
                cx,
                REASON_SERVER_OVERLOADED,
                "could not start the thread of job list \"%s\"",
                worker->list->name);
        }
        worker->started = true;
    }
    return STATUS_OK;
}

void scheduler_wake(struct scheduler *scheduler, const char *thread)
{
    pthread_mutex_lock(&scheduler->lock);
    for (size_t i = 0; i < scheduler->worker_count; i++) {
        if (strcmp(scheduler->workers[i].list->name, thread) == 0) {
            scheduler->workers[i].woken = true;
        }
    }
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (scheduler == NULL) {
        return;
    }
    atomic_store(&scheduler->stopping, true);
    for (size_t i = 0; i < scheduler->worker_count; i++) {
        atomic_store(&scheduler->workers[i].canceller.gone, true);
        (void)eventfd_write(scheduler->workers[i].wake_fd, 1);
    }
    pthread_mutex_lock(&scheduler->lock);
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
    for (size_t i = 0; i < scheduler->worker_count; i++) {
        if (scheduler->workers[i].started) {
            pthread_join(scheduler->workers[i].thread, NULL);
            scheduler->workers[i].started = false;
        }
    }
}

void scheduler_free(struct scheduler *scheduler)
{
    if (scheduler != NULL) {
        scheduler_stop(scheduler);
        for (size_t i = 0; i < scheduler->worker_count; i++) {
            if (scheduler->workers[i].wake_fd >= 0) {
                (void)close(scheduler->workers[i].wake_fd);
            }
        }
        pthread_mutex_destroy(&scheduler->lock);
        pthread_cond_destroy(&scheduler->changed);
        heap_free(scheduler);
    }
}
