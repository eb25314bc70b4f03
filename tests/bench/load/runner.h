#pragma once

/* One run: the connections, the loop that drives them, and what was seen.
 *
 * Closed loop: every connection holds in_flight calls open; an answer starts the next call. Open
 * loop: call number i is due at start + i / rate, whatever the server does; its latency counts from
 * then. When the calls in flight are at their maximum, those that are due wait with their due time
 * unchanged. */

#include <stdint.h>

#include "body_set.h"
#include "histogram.h"
#include "options.h"
#include "outcome.h"

struct tally {
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t held; /* Streams that stayed open to the end of a --hold run. */
    uint64_t received_bytes;
    uint64_t received_messages;
    double seconds;
    struct histogram latency;
    struct histogram lag; /* From due to started; how late the generator itself was. */
};

/* Warms up, measures, waits for the last answers. The meter of the options covers exactly the
 * measured part. Exits when there is nothing to measure. */
void runner_run(struct options *options, struct body_set *bodies, struct tally *ret_tally);
