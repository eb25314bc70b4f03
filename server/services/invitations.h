#pragma once

/* Offers to become a member. The token leaves invitations_create() once and is kept as its hash; it
 * is the only credential of the person who accepts. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/member.h"

struct ctx;
struct id;
struct organization;
struct services;
struct tx;

/* input: email, role, expires_us (0 = in 7 days). Fails with INVITATION_EXISTS, MEMBER_EXISTS,
 * OBJECT_LIMIT_REACHED, FIELD_INVALID. */
struct status invitations_create(
    struct ctx *cx,
    struct tx *tx,
    const struct invitation *input,
    struct invitation *ret_invitation,
    const char **ret_token) MUST_CHECK;

/* Who comes in: the invitation, and the member that it makes. */
struct invitation_entry {
    struct id invitation_id;
    struct id member_id;
};

/* Whose invitation the token is: cx->caller becomes that member of the live side of the
 * organisation, with no scopes. Nothing is said yet about whether it is still open. Fails with
 * INVITATION_NOT_FOUND. */
struct status invitations_enter(
    struct ctx *cx,
    struct services *services,
    const char *token,
    struct invitation_entry *ret_entry) MUST_CHECK;

struct invitation_acceptance {
    struct member member;
    const struct organization *organization; /* the live side, in the arena of cx */
};

/* Makes the person a member. Fails with INVITATION_NOT_FOUND, INVITATION_EXPIRED,
 * INVITATION_CLOSED, MEMBER_EXISTS, OBJECT_LIMIT_REACHED. */
struct status invitations_accept(
    struct ctx *cx,
    struct tx *tx,
    const struct invitation_entry *entry,
    const char *name,
    struct invitation_acceptance *ret_acceptance) MUST_CHECK;

/* Revoking a revoked one succeeds. Fails with INVITATION_NOT_FOUND, INVITATION_CLOSED. */
struct status invitations_revoke(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invitation_id,
    struct invitation *ret_invitation) MUST_CHECK;

/* Newest first, those before the invitation `before` (zero: from the newest). */
struct status invitations_list(
    struct ctx *cx,
    struct services *services,
    bool include_closed,
    const struct id *before,
    int32_t max,
    struct invitation **ret_invitations,
    size_t *ret_count) MUST_CHECK;
