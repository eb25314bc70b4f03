#pragma once

/* The bounded pool of workers behind a lane, for what may block. Thread-safe.
 * Every worker has one eventfd; a task that waits for something foreign hands it to the canceller
 * of its call, so that a peer that gives up wakes it. A wake can be left over from the task before:
 * who waits on the eventfd looks at the flag of the canceller and reads the eventfd empty. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ctx;
struct rpc_workers;

struct rpc_worker {
    int wake_fd;
};

/* Lies in the memory of whoever has something to be done; in at most one queue at a time. */
struct rpc_task {
    void (*run)(struct rpc_task *task, struct rpc_worker *worker);
};

/* name is a literal, and the label of the metrics. Owned by the caller, free with
 * rpc_workers_free(). Fails with INTERNAL. */
struct status rpc_workers_new(
    struct ctx *cx,
    const char *name,
    size_t worker_count,
    size_t queue_max,
    struct rpc_workers **ret_workers) MUST_CHECK;
struct status rpc_workers_start(struct ctx *cx, struct rpc_workers *workers) MUST_CHECK;

/* False when queue_max tasks are waiting, and after rpc_workers_stop(). */
bool rpc_workers_put(struct rpc_workers *workers, struct rpc_task *task) MUST_CHECK;

/* Counts one refused call for the metrics, and says so: SERVER_OVERLOADED with a retry delay. */
struct status rpc_workers_shed(struct ctx *cx, struct rpc_workers *workers) MUST_CHECK;

/* Runs what is waiting and joins the workers. */
void rpc_workers_stop(struct rpc_workers *workers);

/* Takes NULL; stops first. */
void rpc_workers_free(struct rpc_workers *workers);
