#pragma once

/* grpc.health.v1: which services can be used now. The states are atomics, so that any thread may
 * set them and the polling thread answers without waiting. */

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "rpc/rpc_method.h"

struct ctx;
struct rpc_descriptors;
struct rpc_health;

#define RPC_HEALTH_WATCH "/grpc.health.v1.Health/Watch"

/* All services of the descriptors, and "" for the server as a whole, as NOT_SERVING. The names are
 * borrowed. Owned by the caller, free with rpc_health_free(). Fails with INTERNAL. */
struct status rpc_health_new(
    struct ctx *cx,
    const struct rpc_descriptors *descriptors,
    struct rpc_health **ret_health) MUST_CHECK;
void rpc_health_free(struct rpc_health *health);

/* One service, or all with "". True when something changed: then the open watches must be stepped.
 * Thread-safe. */
bool rpc_health_set(struct rpc_health *health, const char *service, bool serving);

/* The rows of Check and Watch. */
struct rpc_method_table rpc_health_table(struct rpc_health *health);
