#pragma once

/* What became of a mutating call, from its intent. */

#include "base/cleanup.h"
#include "base/status.h"
#include "store/intent_store.h"

struct ctx;
struct services;

/* By the request_id of the call. method, "CreateSubscription", chooses when several methods had it;
 * "" = there was one. Fails with OPERATION_NOT_FOUND, OPERATION_AMBIGUOUS. */
struct status operations_find(
    struct ctx *cx,
    struct services *services,
    const char *request_id,
    const char *method,
    struct intent *ret_intent) MUST_CHECK;

/* By its own id. Fails with OPERATION_NOT_FOUND. */
struct status operations_get(
    struct ctx *cx,
    struct services *services,
    const struct id *operation_id,
    struct intent *ret_intent) MUST_CHECK;
