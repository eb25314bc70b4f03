#pragma once

/* The people of an organisation in the database. They belong to both modes and stand under the live
 * number of cx->caller.org_id; who was removed stays as a row, so that the audit log can be read.
 * Thread-safe. Texts are in the arena of cx. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/member.h"

struct ctx;
struct db;
struct id;
struct tx;

/* Fails with MEMBER_EXISTS when one has the address, in any case of letters. */
struct status
member_store_insert(struct ctx *cx, struct tx *tx, const struct member *member) MUST_CHECK;

/* Locked until the end of the transaction. Fails with MEMBER_NOT_FOUND. */
struct status member_store_lock(
    struct ctx *cx, struct tx *tx, const struct id *member_id, struct member *ret_member)
    MUST_CHECK;

/* How many there are, and how many of them are owners. */
struct status member_store_count(
    struct ctx *cx, struct tx *tx, int64_t *ret_members, int64_t *ret_owners) MUST_CHECK;

struct status
member_store_has_email(struct ctx *cx, struct tx *tx, const char *email, bool *ret_has) MUST_CHECK;

/* By address, those after the member `after` (zero: from the start), who may have been removed. */
struct status member_store_list(
    struct ctx *cx,
    struct db *db,
    const struct id *after,
    int32_t max,
    struct member **ret_members,
    size_t *ret_count) MUST_CHECK;

/* Writes name, role and version. */
struct status
member_store_update(struct ctx *cx, struct tx *tx, const struct member *member) MUST_CHECK;

struct status
member_store_remove(struct ctx *cx, struct tx *tx, const struct id *member_id) MUST_CHECK;
