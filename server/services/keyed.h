#pragma once

/* Mutating calls that touch only our database: exactly once per (organisation, method, request_id).
 * The claim, the effect, the events and the answer are one transaction, so there is no moment at
 * which the key exists and the effect does not; a failure leaves no claim behind. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct ctx;
struct services;
struct tx;

struct keyed {
    const char
        *request_id; /* "" = no claim: each call is an effect of its own; at most 255 bytes */
    struct str body; /* the request in a canonical form, without the request_id */
};

/* Does the work inside tx and returns the answer's bytes, in the arena of cx. May run again from
 * the start after a serialization failure. */
typedef struct status (*keyed_work)(
    struct ctx *cx, struct services *services, struct tx *tx, void *user, struct str *ret_answer);

/* A repeat with the same body gets the first answer (*ret_replayed true), with another body
 * IDEMPOTENCY_KEY_REUSED; while the first one runs REQUEST_IN_PROGRESS after a wait. */
struct status keyed_run(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    keyed_work work,
    void *user,
    struct str *ret_answer,
    bool *ret_replayed) MUST_CHECK;
