#pragma once

/* How long history is kept: event log and usage events (settings jobs.*_keep_days). */

#include <stddef.h>

#include "base/status.h"

struct ctx;
struct services;

/* At most max events, and every partition of usage that is old enough. */
struct status retention_prune(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;
