#pragma once

/* What must happen as time goes by, in our own database. Each is a job_fn. */

#include <stddef.h>

#include "base/status.h"

struct ctx;
struct services;

/* Grace and grants that have ended: the customers' entitlements are merged anew. */
struct status access_expiry_run(struct ctx *cx, struct services *services, size_t *ret_done);

/* A payment account was disconnected or connected again: so were its customers. */
struct status access_sweep_run(struct ctx *cx, struct services *services, size_t *ret_done);

/* When API keys were last used. */
struct status key_use_run(struct ctx *cx, struct services *services, size_t *ret_done);

/* Partitions of usage, and the period that new events go to. */
struct status usage_period_run(struct ctx *cx, struct services *services, size_t *ret_done);

/* Cards that end this month or next: whose they are is told, once a month. */
struct status card_expiry_run(struct ctx *cx, struct services *services, size_t *ret_done);
