#include "base/metrics.h"

/* A share of the time is fine, a share of the money is not. */
void invoices_measure(struct metric_series *series, int64_t us)
{
    metric_observe(metric_series(METRIC_JOB_RUNS, (const char *const[]){"a", "b"}), (double)us / 1e6);
}

int64_t invoices_tax(int64_t amount_minor)
{
    const double tax = 0.19;

    return (int64_t)(tax * (float)amount_minor);
}
