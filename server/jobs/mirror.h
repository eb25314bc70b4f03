#pragma once

/* What keeps the mirror of the payment side true. Each is a job_fn. */

#include <stddef.h>

#include "base/status.h"

struct ctx;
struct services;

/* What webhooks announced: from the inbox to the changed objects, and from there into the mirror.
 * Several threads may run it. */
struct status webhook_job_run(struct ctx *cx, struct services *services, size_t *ret_done);

/* Calls to the payment side whose outcome is open. */
struct status resolver_job_run(struct ctx *cx, struct services *services, size_t *ret_done);

/* Events of accounts that became known meanwhile; metrics. */
struct status mirror_tidy_run(struct ctx *cx, struct services *services, size_t *ret_done);

/* Paused subscriptions whose date to resume has come. */
struct status resumption_run(struct ctx *cx, struct services *services, size_t *ret_done);

/* Claims and events that are older than what is promised. */
struct status prune_run(struct ctx *cx, struct services *services, size_t *ret_done);
