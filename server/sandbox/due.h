#pragma once

/* What happens by itself when time passes: renewals, ends of trials, drafts that are finalised,
 * retries, first payments that run out. Actions are replayed one by one in the order of their
 * times, and the clock stands at the time of each while it happens. Called with the lock held. */

#include <stdbool.h>
#include <stdint.h>

struct sim;
struct test_clock;

/* Everything that lives by the global clock, up to now; whether there was anything. */
bool due_run(struct sim *sim);

/* Puts the global clock ahead. */
void due_advance(struct sim *sim, int64_t seconds);

void due_advance_clock(struct sim *sim, struct test_clock *clock, int64_t target_s);
