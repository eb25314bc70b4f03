#pragma once

/* What a subscription does by itself when its time comes. */

#include <stdint.h>

struct sim;
struct subscription;

/* When it does something next; 0: never. */
int64_t subscription_due_s(const struct subscription *subscription);

/* Does it; the clock stands at that time. */
void subscription_due_act(struct sim *sim, struct subscription *subscription);
