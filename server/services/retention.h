#pragma once

/* How long history is kept: event log, usage events and audit log (settings jobs.*_keep_days), and
 * previews until they expire. */

#include <stddef.h>

#include "base/status.h"

struct ctx;
struct services;

/* At most max events, as many entries of the audit log and previews, and every partition of usage
 * that is old enough. */
struct status retention_prune(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;
