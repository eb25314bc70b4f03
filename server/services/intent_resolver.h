#pragma once

/* The upkeep of intents: what a crash or a silent payment side left open is driven to its end, what
 * is older than the promise is deleted, what is open is counted. Runs over all organisations. */

#include <stddef.h>

#include "base/status.h"
#include "services/intents.h"

struct ctx;
struct services;

/* Which function drives the open intents of a method. */
struct intent_driver {
    const char *method; /* "billingos.v1.SubscriptionService/CreateSubscription" */
    intent_drive drive;
};

extern const struct intent_driver INTENT_DRIVERS[];
extern const size_t INTENT_DRIVER_COUNT;

/* Drives what is due; *ret_count: how many were taken. */
struct status intents_resolve_due(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;

/* Deletes claims that are older than settings->idempotency_keep_days, at most max. */
struct status
intents_prune(struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;

/* Sets the metric of open intents by age. */
struct status intents_measure(struct ctx *cx, struct services *services) MUST_CHECK;
