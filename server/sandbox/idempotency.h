#pragma once

/* What was answered under which Idempotency-Key. An answer is kept once the handler began, even a
 * 402 or a 500, and said again for a day of simulated time; requests that were refused before keep
 * their key free. Keys are per account. Guarded by the lock of the simulator. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct call;
struct idempotency;
struct idempotency_entry;

/* NULL without memory. Owned by the caller, free with idempotency_free(). */
struct idempotency *idempotency_new(void) MUST_CHECK;
void idempotency_free(struct idempotency *idempotency);

/* What the first request with the key of the call left. */
enum idempotency_state {
    IDEMPOTENCY_FIRST,    /* there is none: go on */
    IDEMPOTENCY_REPLAY,   /* the answer is in the call */
    IDEMPOTENCY_MISMATCH, /* it had other parameters */
    IDEMPOTENCY_RUNNING,  /* it has not been answered yet */
};
enum idempotency_state idempotency_check(struct call *call);

/* Keeps the answer of the call; running: until idempotency_finish() others get a 409. NULL without
 * a key or memory. */
struct idempotency_entry *idempotency_keep(struct call *call, bool running);
void idempotency_finish(struct idempotency_entry *entry);
