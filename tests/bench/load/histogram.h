#pragma once

/* A histogram of durations with fixed memory, exact to less than 0.8 %.
 *
 * Below 256 ns each nanosecond has its own bucket; above, every power of two is divided into 128
 * buckets of equal width. Durations of more than 73 minutes fall into the last one. */

#include <stdint.h>

enum {
    HISTOGRAM_SUB_BITS = 7,
    HISTOGRAM_VALUE_BITS = 42,
    HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS,
};

/* All zero is empty. */
struct histogram {
    uint64_t count;
    int64_t max_ns;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* A negative duration counts as zero. */
void histogram_record(struct histogram *histogram, int64_t duration_ns);

/* The smallest recorded duration that at least the fraction (0 to 1) of all do not exceed, given as
 * the upper edge of its bucket and never above the maximum; 0 when empty. */
int64_t histogram_quantile_ns(const struct histogram *histogram, double fraction);
