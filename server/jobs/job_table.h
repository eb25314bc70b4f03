#pragma once

/* The index of the background work: which job runs on which thread, and how often. */

#include <stddef.h>
#include <stdint.h>

#include "jobs/scheduler.h"

#define JOB_THREAD_WEBHOOKS "webhooks" /* woken by every webhook that was stored */
#define JOB_THREAD_RESOLVER "resolver" /* calls the payment side, so it may hang for a while */
#define JOB_THREAD_KEEPING "housekeeping"

#define JOB_THREAD_RECONCILE "reconcile" /* may take as long as an account is large */

#define JOB_THREADS_COUNT 4

/* webhook_threads: how many work on what webhooks announced. */
void job_table(uint32_t webhook_threads, struct job_thread ret_threads[JOB_THREADS_COUNT]);
