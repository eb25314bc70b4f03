#pragma once

/* Offers to become a member, known by the SHA-256 of their token, with a row in credentials each.
 * They stand under the live number of cx->caller.org_id.
 * Thread-safe. Texts are in the arena of cx. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/status.h"
#include "domain/member.h"

struct ctx;
struct db;
struct id;
struct tx;

/* Across all tenants: whose invitation the token is. Fails with INVITATION_NOT_FOUND. */
struct status invitation_store_find(
    struct ctx *cx,
    struct db *db,
    const uint8_t token_hash[SHA256_SIZE],
    int64_t *ret_live_number,
    struct id *ret_invitation_id) MUST_CHECK;

struct status invitation_store_insert(
    struct ctx *cx,
    struct tx *tx,
    const struct invitation *invitation,
    const uint8_t token_hash[SHA256_SIZE]) MUST_CHECK;

/* Locked until the end of the transaction. Fails with INVITATION_NOT_FOUND. */
struct status invitation_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invitation_id,
    struct invitation *ret_invitation) MUST_CHECK;

/* How many are open, and the open one for this address (zero: none). */
struct status invitation_store_count(
    struct ctx *cx, struct tx *tx, const char *email, int64_t *ret_open, struct id *ret_for_email)
    MUST_CHECK;

/* Newest first, those before the invitation `before` (zero: from the newest). */
struct status invitation_store_list(
    struct ctx *cx,
    struct db *db,
    bool include_closed,
    const struct id *before,
    int32_t max,
    struct invitation **ret_invitations,
    size_t *ret_count) MUST_CHECK;

/* Writes accepted_us, revoked_us and member_id. */
struct status invitation_store_update(
    struct ctx *cx, struct tx *tx, const struct invitation *invitation) MUST_CHECK;
