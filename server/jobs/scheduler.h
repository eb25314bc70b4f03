#pragma once

/* Background work: a few threads, each with a list of jobs that it runs in turn, again and again. A
 * job that found work runs again at once, otherwise after its interval; a failure makes it wait
 * longer (up to a minute), is logged once per change, and never stops the others. Thread-safe. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct ctx;
struct scheduler;
struct services;

/* cx has a fresh arena, no deadline, no organisation. *ret_done: how much was done; 0 = nothing
 * left. */
typedef struct status (*job_fn)(struct ctx *cx, struct services *services, size_t *ret_done);

struct job {
    const char *name;
    job_fn run;
    int64_t every_ms;
};

struct job_thread {
    const char *name;
    const struct job *jobs; /* borrowed, static */
    size_t job_count;
    uint32_t threads; /* how many run the same list */
};

/* NULL without memory, or when there are more than 32 threads or 16 jobs in one list. */
struct scheduler *
scheduler_new(struct services *services, const struct job_thread *threads, size_t count) MUST_CHECK;

/* Fails with SERVER_OVERLOADED when a thread cannot be made. */
struct status scheduler_start(struct ctx *cx, struct scheduler *scheduler) MUST_CHECK;

/* Runs the jobs of the named thread now. */
void scheduler_wake(struct scheduler *scheduler, const char *thread);

/* Tells running jobs that nobody waits for them, and joins. */
void scheduler_stop(struct scheduler *scheduler);
void scheduler_free(struct scheduler *scheduler);
