#pragma once

/* A subscription as JSON: what a call was answered with, kept with its intent, and what the event
 * log says about it. Times are microseconds, ids are texts. */

#include "base/status.h"
#include "domain/subscription.h"

struct ctx;

/* A JSON object, in the arena of cx. old_status NULL: without it. */
const char *subscription_snapshot_write(
    struct ctx *cx, const struct subscription *subscription, const char *old_status);

/* Fails with INTERNAL when the text is none of ours. */
struct status subscription_snapshot_read(
    struct ctx *cx, const char *json, struct subscription *ret_subscription) MUST_CHECK;
