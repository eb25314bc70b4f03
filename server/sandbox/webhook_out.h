#pragma once

/* Delivers events: signed POSTs, in parallel and therefore in no order, with retries until the
 * endpoint answers 2xx. Deliveries never hold the lock of the simulator while they wait.
 * Thread-safe. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct event;
struct sim;
struct webhook_endpoint;
struct webhook_out;

/* NULL without memory. Owned by the caller, free with webhook_out_free(), which stops it, too. */
struct webhook_out *webhook_out_new(struct sim *sim) MUST_CHECK;
void webhook_out_free(struct webhook_out *out);

/* False when threads cannot be started. */
bool webhook_out_start(struct webhook_out *out) MUST_CHECK;
void webhook_out_stop(struct webhook_out *out);

/* Queues a delivery, unless a fault says otherwise. Called with the lock of the simulator held. */
void webhook_out_deliver(
    struct webhook_out *out, struct event *event, struct webhook_endpoint *endpoint);

/* How many deliveries wait or run. */
int64_t webhook_out_waiting(struct webhook_out *out);
