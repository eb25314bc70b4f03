#pragma once

/* Who changed what: one entry for each change somebody made. */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

#define AUDIT_CHANGES_MAX 50
#define AUDIT_VALUE_LETTERS_MAX 500

/* One field, before and after; "" when it was or is not set. Never a secret. */
struct audit_change {
    const char *path;
    const char *old_value;
    const char *new_value;
};

struct audit_entry {
    int64_t org_id;
    struct id audit_id;
    const char *actor;       /* "key_...", "mem_...", "cli", or the name of a job */
    const char *actor_name;  /* of the key or member, as it was then */
    bool both_modes;         /* it changed the organisation as a whole */
    const char *action;      /* "CatalogService.PublishPlan" */
    const char *target_type; /* "plan" */
    const char *target;      /* "plan_..." */
    const char *changes;     /* JSON: [{"path": ..., "old": ..., "new": ...}] */
    const char *request_id;
    int64_t created_us;
};
