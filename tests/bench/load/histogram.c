#include "histogram.h"

#include <math.h>
#include <stddef.h>

static const uint64_t half = 1U << HISTOGRAM_SUB_BITS;

/* Values below 2 * half are their own index. A larger one is shifted right until it lies in
 * [half, 2 * half); each shift moves it one block of `half` buckets up. */
static size_t bucket_of(uint64_t value)
{
    unsigned shift = 0;

    if (value >> HISTOGRAM_VALUE_BITS != 0) {
        return HISTOGRAM_BUCKETS - 1;
    }
    if (value >= 2 * half) {
        shift = (unsigned)(63 - HISTOGRAM_SUB_BITS - __builtin_clzll(value));
    }
    return shift * half + (value >> shift);
}

static int64_t bucket_upper_edge(size_t bucket)
{
    unsigned shift = 0;

    if (bucket >= 2 * half) {
        shift = (unsigned)(bucket / half) - 1;
    }
    return (int64_t)(((bucket - shift * half + 1) << shift) - 1);
}

void histogram_record(struct histogram *histogram, int64_t duration_ns)
{
    const int64_t value = duration_ns < 0 ? 0 : duration_ns;

    histogram->buckets[bucket_of((uint64_t)value)]++;
    histogram->count++;
    if (value > histogram->max_ns) {
        histogram->max_ns = value;
    }
}

int64_t histogram_quantile_ns(const struct histogram *histogram, double fraction)
{
    const uint64_t wanted = (uint64_t)ceil(fraction * (double)histogram->count);
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0) {
            const int64_t edge = bucket_upper_edge(i);

            return i + 1 < HISTOGRAM_BUCKETS && edge < histogram->max_ns ? edge : histogram->max_ns;
        }
    }
    return histogram->max_ns;
}
