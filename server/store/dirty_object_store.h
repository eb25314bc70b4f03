#pragma once

/* Objects of the payment side that have changed and must be read again: table dirty_objects. N
 * events about one object are one row. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ctx;
struct db;
struct tx;

struct dirty_object {
    int64_t org_id;
    const char *object_type; /* WEBHOOK_OBJECT_... of services/webhook_event.h */
    const char *object_id;
    int64_t first_seen_us;
    int64_t mark; /* grows with each event */
    int64_t attempts;
};

/* Marks them, in any order, twice is once. Over all organisations, as everything below but clear
 * and postpone. */
struct status dirty_object_store_mark(
    struct ctx *cx, struct tx *tx, const struct dirty_object *objects, size_t count) MUST_CHECK;

/* Those whose time has come, and gives them a new time, so that nobody else takes them meanwhile.
 */
struct status dirty_object_store_take(
    struct ctx *cx,
    struct db *db,
    int64_t lease_seconds,
    size_t max,
    struct dirty_object **ret_objects,
    size_t *ret_count) MUST_CHECK;

/* Removes the mark of the caller's organisation unless an event came meanwhile. */
struct status dirty_object_store_clear(
    struct ctx *cx, struct tx *tx, const struct dirty_object *object) MUST_CHECK;

/* Tries again later, and says why. set_aside: only when somebody asks for it. */
struct status dirty_object_store_postpone(
    struct ctx *cx,
    struct db *db,
    const struct dirty_object *object,
    int64_t delay_seconds,
    const char *error,
    bool set_aside) MUST_CHECK;

/* The next number that orders what is read: taken before the read. */
struct status
dirty_object_store_fetch_number(struct ctx *cx, struct db *db, int64_t *ret_number) MUST_CHECK;

/* What is behind: for each organisation the oldest change that is not applied, and how many events
 * wait in all. Sorted by org_id. */
struct mirror_backlog {
    int64_t org_id;
    int64_t oldest_us;
};
struct status dirty_object_store_backlog(
    struct ctx *cx,
    struct db *db,
    size_t max,
    struct mirror_backlog **ret_backlog,
    size_t *ret_count,
    int64_t *ret_inbox_depth) MUST_CHECK;
