#pragma once

/* Who changed what. Each mutating use case adds one entry in the transaction of its change, so that
 * neither can exist without the other. Actor, action and request id come from cx. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/audit.h"
#include "store/audit_store.h"

struct ctx;
struct id;
struct services;
struct tx;

/* The fields that changed, collected one by one. Initialise with {0}. */
struct audit_changes {
    struct audit_change items[AUDIT_CHANGES_MAX];
    size_t count;
};

/* Equal values are not a change. The texts are borrowed until the entry is added; "" = not set. */
void audit_note(
    struct audit_changes *changes, const char *path, const char *old_value, const char *new_value);

/* Adds an entry in the mode of the caller. type is the kind of object, "plan"; target its id as
 * text. changes may be NULL. */
struct status audit_add(
    struct ctx *cx,
    struct tx *tx,
    const char *type,
    const char *target,
    const struct audit_changes *changes) MUST_CHECK;

/* Adds an entry about the organisation as a whole, seen in both modes. */
struct status audit_add_shared(
    struct ctx *cx,
    struct tx *tx,
    const char *type,
    const char *target,
    const struct audit_changes *changes) MUST_CHECK;

/* What the caller's side may see, newest first, before the entry `before` (zero: from the newest).
 */
struct status audit_list(
    struct ctx *cx,
    struct services *services,
    const struct audit_filter *filter,
    const struct id *before,
    int32_t max,
    struct audit_entry **ret_entries,
    size_t *ret_count) MUST_CHECK;
