#pragma once

/* The people of an organisation. They belong to both modes. Whoever writes holds the lock of the
 * organisation, so that "one owner must stay" is decided by one call at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/member.h"

struct ctx;
struct id;
struct services;
struct tx;

/* By e-mail address, those after the member `after` (zero: from the start). */
struct status members_list(
    struct ctx *cx,
    struct services *services,
    const struct id *after,
    int32_t max,
    struct member **ret_members,
    size_t *ret_count) MUST_CHECK;

enum member_field {
    MEMBER_FIELD_NAME = 1 << 0,
    MEMBER_FIELD_ROLE = 1 << 1
};

struct member_change {
    struct id member_id;
    uint32_t fields; /* which of the values count */
    const char *name;
    enum member_role role;
    const char *etag; /* "" = not checked */
};

/* Fails with MEMBER_NOT_FOUND, LAST_OWNER, ETAG_MISMATCH, FIELD_INVALID. */
struct status members_update(
    struct ctx *cx, struct tx *tx, const struct member_change *change, struct member *ret_member)
    MUST_CHECK;

/* Fails with MEMBER_NOT_FOUND, LAST_OWNER. */
struct status members_remove(struct ctx *cx, struct tx *tx, const struct id *member_id) MUST_CHECK;
