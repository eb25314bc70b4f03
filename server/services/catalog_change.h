#pragma once

/* What every change of the catalogue does beside the change itself. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct ctx;
struct tx;

/* The keys of features or meters are no longer what caches hold: appends EVENT_CATALOG_CHANGED.
 * kind: "feature" or "meter". */
struct status
catalog_keys_changed(struct ctx *cx, struct tx *tx, const char *kind, const char *key) MUST_CHECK;

/* OBJECT_LIMIT_REACHED when `count` of `max` exist already. kind: "features". */
struct status
catalog_check_count(struct ctx *cx, const char *kind, int64_t count, int64_t max) MUST_CHECK;

/* "12" in the arena, for audit_note(). */
const char *catalog_number(struct ctx *cx, int64_t number);
/* "a, b, c" in the arena. */
const char *catalog_list(struct ctx *cx, const char *const *texts, size_t count);
