#pragma once

/* A free plan may be published while no payment account is connected, and is then known here only.
 * Before it is first sold it is made at the payment side, under an intent of PublishPlan of its
 * own, so that a crash or an unknown outcome is settled as that of any publishing. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct ctx;
struct id;
struct services;

/* Product, meters and prices of a published version; what is there already stays. Fails with
 * PLAN_NOT_FOUND, REQUEST_IN_PROGRESS while somebody else does the same, and with the failures of
 * intents_run(). */
struct status catalog_mirror(
    struct ctx *cx,
    struct services *services,
    const struct id *plan_id,
    int32_t number,
    const char *account_id) MUST_CHECK;
