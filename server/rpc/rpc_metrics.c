#include "rpc/rpc_metrics.h"

#define PROTOCOL "grpc"

static struct metric_series *
kept(struct metric_series *_Atomic *place, enum metric metric, const char *const *values)
{
    struct metric_series *series = atomic_load_explicit(place, memory_order_acquire);

    if (series == NULL) { /* two threads may both look it up: they find the same one */
        series = metric_series(metric, values);
        atomic_store_explicit(place, series, memory_order_release);
    }
    return series;
}

void rpc_metrics_handled(struct rpc_metrics *metrics, enum code code, int64_t duration_us)
{
    const char *const handled[] = {metrics->service, metrics->method, code_name(code), PROTOCOL};
    const char *const duration[] = {metrics->service, metrics->method, PROTOCOL};

    metric_add(kept(&metrics->handled[code], METRIC_RPC_HANDLED, handled), 1);
    metric_observe(
        kept(&metrics->duration, METRIC_RPC_DURATION, duration), (double)duration_us / 1e6);
}

void rpc_metrics_streams(struct rpc_metrics *metrics, int change)
{
    const char *const values[] = {metrics->service};

    metric_add(kept(&metrics->streams, METRIC_STREAMS_OPEN, values), change);
}

void rpc_metrics_dropped(const char *reason)
{
    const char *const values[] = {reason};

    metric_add(metric_series(METRIC_STREAM_DROPPED, values), 1);
}
