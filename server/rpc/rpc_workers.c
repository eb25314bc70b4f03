#include "rpc/rpc_workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/heap.h"
#include "base/metrics.h"
#include "base/queue.h"

/* By then a queue of calls that take 2 ms each has been worked off. */
#define OVERLOAD_RETRY_MS 500

struct member {
    struct rpc_worker worker;
    struct rpc_workers *workers;
    pthread_t thread;
    bool started;
};

struct rpc_workers {
    const char *name;
    struct queue *queue;
    struct metric_series *depth;
    struct metric_series *shed;
    size_t worker_count;
    struct member list[];
};

static bool open_wakes(struct rpc_workers *workers)
{
    bool opened = true;

    for (size_t i = 0; i < workers->worker_count; i++) {
        workers->list[i].workers = workers;
        workers->list[i].worker.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        opened = opened && workers->list[i].worker.wake_fd >= 0;
    }
    return opened;
}

struct status rpc_workers_new(
    struct ctx *cx,
    const char *name,
    size_t worker_count,
    size_t queue_max,
    struct rpc_workers **ret_workers)
{
    const char *const labels[] = {name};
    struct rpc_workers *workers =
        heap_new(sizeof *workers + worker_count * sizeof workers->list[0]);

    if (workers == NULL) {
        return status_fail(cx, REASON_INTERNAL, "no memory for lane \"%s\"", name);
    }
    workers->name = name;
    workers->worker_count = worker_count;
    workers->depth = metric_series(METRIC_LANE_DEPTH, labels);
    workers->shed = metric_series(METRIC_RPC_SHED, labels);
    workers->queue = queue_new(queue_max);
    if (!open_wakes(workers) || workers->queue == NULL) {
        rpc_workers_free(workers);
        return status_fail(cx, REASON_INTERNAL, "could not open the workers of lane \"%s\"", name);
    }
    *ret_workers = workers;
    return STATUS_OK;
}

static void *work(void *data)
{
    struct member *member = data;
    uint64_t left_over = 0;
    struct rpc_task *task = NULL;

    while ((task = queue_take(member->workers->queue)) != NULL) {
        metric_add(member->workers->depth, -1);
        if (read(member->worker.wake_fd, &left_over, sizeof left_over) < 0) {
            left_over = 0; /* as nearly always: nobody gave up meanwhile */
        }
        task->run(task, &member->worker);
    }
    return NULL;
}

static int start_worker(struct member *member, size_t number)
{
    char name[16];
    int failed = pthread_create(&member->thread, NULL, work, member);

    if (failed == 0) {
        member->started = true;
        snprintf(name, sizeof name, "%.10s-%u", member->workers->name, (unsigned)(number % 1000));
        pthread_setname_np(member->thread, name);
    }
    return failed;
}

struct status rpc_workers_start(struct ctx *cx, struct rpc_workers *workers)
{
    sigset_t all;
    sigset_t before;
    int failed = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < workers->worker_count && failed == 0; i++) {
        failed = start_worker(&workers->list[i], i);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        return status_fail(
            cx, REASON_INTERNAL, "could not start the workers of lane \"%s\"", workers->name);
    }
    return STATUS_OK;
}

bool rpc_workers_put(struct rpc_workers *workers, struct rpc_task *task)
{
    metric_add(workers->depth, 1); /* before the worker can take it away again */
    if (queue_put(workers->queue, task)) {
        return true;
    }
    metric_add(workers->depth, -1);
    return false;
}

struct status rpc_workers_shed(struct ctx *cx, struct rpc_workers *workers)
{
    metric_add(workers->shed, 1);
    return status_retry(
        status_pair(cx, status_of(cx, REASON_SERVER_OVERLOADED), "lane", workers->name),
        OVERLOAD_RETRY_MS);
}

void rpc_workers_stop(struct rpc_workers *workers)
{
    queue_close(workers->queue);
    for (size_t i = 0; i < workers->worker_count; i++) {
        if (workers->list[i].started) {
            pthread_join(workers->list[i].thread, NULL);
            workers->list[i].started = false;
        }
    }
}

void rpc_workers_free(struct rpc_workers *workers)
{
    if (workers == NULL) {
        return;
    }
    if (workers->queue != NULL) {
        rpc_workers_stop(workers);
    }
    for (size_t i = 0; i < workers->worker_count; i++) {
        if (workers->list[i].worker.wake_fd >= 0) {
            close(workers->list[i].worker.wake_fd);
        }
    }
    queue_free(workers->queue);
    heap_free(workers);
}
