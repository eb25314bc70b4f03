#pragma once

/* How many requests may be sent to the payment side: a bucket of tokens for the platform and one
 * for each account, refilled steadily, halved for a minute where the payment side says that it is
 * too much. One object for all threads. Thread-safe. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct stripe_budget;

struct stripe_budget_config {
    uint32_t platform_per_second; /* 0: 80; a bucket holds one second's worth */
    uint32_t account_per_second;  /* 0: 20 */
};

/* NULL without memory. Owned by the caller, free with stripe_budget_free(). */
struct stripe_budget *stripe_budget_new(const struct stripe_budget_config *config) MUST_CHECK;
void stripe_budget_free(struct stripe_budget *budget);

/* Takes one token of the account ("" = the platform's own) and one of the platform. 0 when both
 * were there; else nothing is taken, and it is the milliseconds until there may be. now_us is
 * monotonic. */
int64_t stripe_budget_take(struct stripe_budget *budget, const char *account_id, int64_t now_us);

/* The same for work that can wait: the upper half of both buckets only, so that a burst of calls
 * that somebody waits for always finds tokens. */
int64_t
stripe_budget_take_spare(struct stripe_budget *budget, const char *account_id, int64_t now_us);

/* The payment side refused for the rate: half as many for a minute. global: of the platform too. */
void stripe_budget_slow(
    struct stripe_budget *budget, const char *account_id, bool global, int64_t now_us);
