#pragma once

/* What is counted of one method. The series are looked up once, so that a call costs a few atomic
 * additions. Thread-safe. */

#include <stdatomic.h>
#include <stdint.h>

#include "base/metrics.h"
#include "base/status.h"

#define RPC_CODE_COUNT (CODE_UNAUTHENTICATED + 1)

struct rpc_metrics {
    const char *service;
    const char *method;
    struct metric_series *_Atomic handled[RPC_CODE_COUNT];
    struct metric_series *_Atomic duration;
    struct metric_series *_Atomic streams;
};

/* One call was answered with this code. */
void rpc_metrics_handled(struct rpc_metrics *metrics, enum code code, int64_t duration_us);

/* A stream of the method was opened (1) or ended (-1). */
void rpc_metrics_streams(struct rpc_metrics *metrics, int change);

/* The server ended a stream, or refused one, before its time. */
void rpc_metrics_dropped(const char *reason);
