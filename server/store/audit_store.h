#pragma once

/* Who changed what, in the database; only added. What concerns the organisation as a whole stands
 * under its live number and is shown on either side.
 * Thread-safe. Texts are in the arena of cx; the tenant is cx->caller.org_id. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/audit.h"

struct ctx;
struct db;
struct tx;

/* An empty actor_name is filled with the name of the caller's key. */
struct status
audit_store_insert(struct ctx *cx, struct tx *tx, const struct audit_entry *entry) MUST_CHECK;

/* "" and 0 do not narrow. */
struct audit_filter {
    const char *actor;
    const char *target;
    const char *action;
    int64_t from_us;  /* included */
    int64_t until_us; /* excluded; 0: no end */
};

/* Newest first, those before the entry `before` (zero: from the newest). */
struct status audit_store_list(
    struct ctx *cx,
    struct db *db,
    const struct audit_filter *filter,
    const struct id *before,
    int32_t max,
    struct audit_entry **ret_entries,
    size_t *ret_count) MUST_CHECK;
