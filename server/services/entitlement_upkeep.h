#pragma once

/* Entitlements that change because time goes by, or for many customers at once: jobs call these. */

#include <stddef.h>

#include "base/status.h"

struct ctx;
struct services;

/* Rebuilds those whose grace or grant has ended; the job calls it. *ret_count: how many. */
struct status entitlements_expire(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;

/* Goes on with the customers of a payment account that was disconnected or connected again, whose
 * access depends on it; the job calls it. *ret_count: how many. */
struct status
entitlements_sweep(struct ctx *cx, struct services *services, size_t *ret_count) MUST_CHECK;
