#pragma once

/* One thing that was used, ready to be stored: names resolved, windows known. */

#include <stdint.h>

#include "base/id.h"
#include "base/wallclock.h"
#include "domain/period.h"

#define USAGE_EVENTS_MAX 1000 /* of one call */
#define USAGE_QUANTITY_MAX \
    INT64_C(1000000000000000) /* of one event: a batch cannot overflow a sum */
#define USAGE_WINDOWS_MAX 8   /* windows that one event counts in */

#define USAGE_FUTURE_US_MAX (5 * US_PER_MINUTE) /* how far clocks may be apart */
/* As long as its key is kept: what is older could be a repeat that nobody knows any more. */
#define USAGE_AGE_US_MAX (35 * US_PER_DAY)

enum usage_time {
    USAGE_TIME_TAKEN,
    USAGE_TIME_IN_FUTURE,
    USAGE_TIME_TOO_OLD,
};

/* Both bounds are still taken. */
enum usage_time usage_time_check(int64_t event_us, int64_t now_us);

enum usage_outcome {
    USAGE_RECORDED = 1,
    USAGE_DUPLICATE = 2,
    USAGE_RECORDED_LATE = 3,
    USAGE_KEY_REUSED = 100, /* the key was used before with other content: nothing was stored */
};

struct usage_window {
    enum reset_period reset;
    int64_t start_us;
};

struct usage_event {
    struct id key;       /* first 128 bits of SHA-256 of source, a NUL and event_id */
    int64_t fingerprint; /* of the content */
    int64_t customer_no;
    int32_t meter_no;
    int64_t quantity; /* as reported */
    int64_t counted;  /* what it adds to the counters: the quantity, or one */
    int64_t event_us;
    const char *properties; /* JSON, or NULL */
    size_t window_count;
    struct usage_window windows[USAGE_WINDOWS_MAX];
};

/* A counter after a batch. */
struct usage_counted {
    int64_t customer_no;
    int32_t meter_no;
    enum reset_period reset;
    int64_t window_us;
    int64_t used;
    int64_t added;
};
