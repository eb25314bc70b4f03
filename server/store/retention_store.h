#pragma once

/* What is older than promised goes, over all organisations. */

#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"

struct db;

/* Deletes at most max events of the log that are older than that. */
struct status retention_store_events(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count) MUST_CHECK;

/* Deletes at most max entries of the audit log that are older than that. */
struct status retention_store_audit(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count) MUST_CHECK;

/* Drops the partitions of usage whose every event was received longer ago than that; the current
 * and the previous period always stay, because keys are looked for in them. */
struct status retention_store_usage(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t *ret_count) MUST_CHECK;
