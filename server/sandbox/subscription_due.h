#pragma once

/* What a subscription does by itself when its time comes. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct sim;
struct subscription;

/* When it does something next; 0: never. */
int64_t subscription_due_s(const struct subscription *subscription);

/* Does it; the clock stands at that time. */
void subscription_due_act(struct sim *sim, struct subscription *subscription);

/* A trial that ends without a card ends as the merchant chose. False: it goes on to be paid. */
bool subscription_due_end_trial(struct sim *sim, struct subscription *subscription) MUST_CHECK;
