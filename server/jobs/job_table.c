#include "jobs/job_table.h"

#include "base/cleanup.h"
#include "jobs/housekeeping.h"
#include "jobs/mirror.h"

static const struct job webhooks[] = {
    {"webhooks", webhook_job_run, 1000},
};

static const struct job resolver[] = {
    {"resolver", resolver_job_run, 500},
    {"resumption", resumption_run, 1000},
};

static const struct job keeping[] = {
    {"access_expiry", access_expiry_run, 1000},
    {"access_sweep", access_sweep_run, 1000},
    {"mirror_tidy", mirror_tidy_run, 1000},
    {"key_use", key_use_run, 15000},
    {"usage_period", usage_period_run, 600000},
    {"card_expiry", card_expiry_run, 3600000},
    {"prune", prune_run, 3600000},
};

void job_table(uint32_t webhook_threads, struct job_thread ret_threads[JOB_THREADS_COUNT])
{
    ret_threads[0] =
        (struct job_thread){JOB_THREAD_WEBHOOKS, webhooks, ARRAY_LEN(webhooks), webhook_threads};
    ret_threads[1] = (struct job_thread){JOB_THREAD_RESOLVER, resolver, ARRAY_LEN(resolver), 1};
    ret_threads[2] = (struct job_thread){JOB_THREAD_KEEPING, keeping, ARRAY_LEN(keeping), 1};
}
