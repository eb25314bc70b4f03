#include "stripe/stripe_budget.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/metrics.h"
#include "base/wallclock.h"

#define PLATFORM_PER_SECOND 80
#define ACCOUNT_PER_SECOND 20
#define BUCKETS 4096 /* two accounts in one share it, which only makes both slower */
#define BURST_US US_PER_SECOND
#define SLOW_US (60 * US_PER_SECOND)

/* A bucket as one number: the time at which it will be full again (the "theoretical arrival time"
 * of GCRA). Each token moves it on by one interval; further than a second ahead there is none left.
 */
struct bucket {
    _Atomic int64_t full_us;
    _Atomic int64_t slow_until_us;
};

struct stripe_budget {
    uint32_t platform_per_second;
    uint32_t account_per_second;
    struct bucket platform;
    struct bucket accounts[BUCKETS];
};

struct stripe_budget *stripe_budget_new(const struct stripe_budget_config *config)
{
    struct stripe_budget *budget = heap_new(sizeof *budget);

    if (budget == NULL) {
        return NULL;
    }
    budget->platform_per_second =
        config->platform_per_second == 0 ? PLATFORM_PER_SECOND : config->platform_per_second;
    budget->account_per_second =
        config->account_per_second == 0 ? ACCOUNT_PER_SECOND : config->account_per_second;
    return budget;
}

void stripe_budget_free(struct stripe_budget *budget)
{
    heap_free(budget);
}

static int64_t interval_us(struct bucket *bucket, uint32_t per_second, int64_t now_us)
{
    const int64_t us = US_PER_SECOND / per_second;

    return now_us < atomic_load(&bucket->slow_until_us) ? 2 * us : us;
}

/* 0 when a token was taken, else the microseconds until there is one. burst_us: how much of the
 * bucket may be used. */
static int64_t take(struct bucket *bucket, int64_t interval, int64_t burst_us, int64_t now_us)
{
    int64_t full_us = atomic_load(&bucket->full_us);

    for (;;) {
        const int64_t next_us = (full_us > now_us ? full_us : now_us) + interval;

        if (next_us > now_us + burst_us) {
            return next_us - now_us - burst_us;
        }
        if (atomic_compare_exchange_weak(&bucket->full_us, &full_us, next_us)) {
            return 0;
        }
    }
}

static struct bucket *bucket_of(struct stripe_budget *budget, const char *account_id)
{
    return &budget->accounts[hash_bytes(account_id, strlen(account_id)) % BUCKETS];
}

static void show_left(struct stripe_budget *budget, int64_t interval, int64_t now_us)
{
    const int64_t ahead_us = atomic_load(&budget->platform.full_us) - now_us;

    metric_gauge(
        METRIC_STRIPE_RATELIMIT_TOKENS, (BURST_US - (ahead_us > 0 ? ahead_us : 0)) / interval);
}

static int64_t
take_both(struct stripe_budget *budget, const char *account_id, int64_t burst_us, int64_t now_us)
{
    struct bucket *account = bucket_of(budget, account_id);
    struct bucket *platform = &budget->platform;
    const int64_t account_us = interval_us(account, budget->account_per_second, now_us);
    const int64_t platform_us = interval_us(platform, budget->platform_per_second, now_us);
    int64_t wait_us = take(account, account_us, burst_us, now_us);

    if (wait_us == 0) {
        wait_us = take(platform, platform_us, burst_us, now_us);
        if (wait_us > 0) {
            atomic_fetch_sub(&account->full_us, account_us); /* given back */
        }
        show_left(budget, platform_us, now_us);
    }
    return (wait_us + 999) / 1000;
}

int64_t stripe_budget_take(struct stripe_budget *budget, const char *account_id, int64_t now_us)
{
    return take_both(budget, account_id, BURST_US, now_us);
}

int64_t
stripe_budget_take_spare(struct stripe_budget *budget, const char *account_id, int64_t now_us)
{
    return take_both(budget, account_id, BURST_US / 2, now_us);
}

void stripe_budget_slow(
    struct stripe_budget *budget, const char *account_id, bool global, int64_t now_us)
{
    atomic_store(&bucket_of(budget, account_id)->slow_until_us, now_us + SLOW_US);
    if (global) {
        atomic_store(&budget->platform.slow_until_us, now_us + SLOW_US);
    }
}
