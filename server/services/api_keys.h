#pragma once

/* API keys of the caller's organisation and mode. Secrets leave these functions once and are kept
 * as hashes alone. A key can be made only by one that may do at least as much: otherwise the right
 * to make keys would be all rights. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/api_key.h"

struct ctx;
struct id;
struct services;
struct tx;

/* input: kind, live, name, scopes, expires_us. Fails with MODE_MISMATCH, SCOPE_NOT_HELD,
 * OBJECT_LIMIT_REACHED, FIELD_INVALID. */
struct status api_keys_create(
    struct ctx *cx, struct tx *tx, const struct api_key *input, struct issued_key *ret_issued)
    MUST_CHECK;

/* The same without questions and without an audit entry: the first keys of an organisation. */
struct status api_keys_issue(
    struct ctx *cx, struct tx *tx, const struct api_key *input, struct issued_key *ret_issued)
    MUST_CHECK;

/* A new key like the old one, which works on until its end or for overlap_us, whichever is sooner.
 * Fails with API_KEY_NOT_FOUND, API_KEY_CLOSED, SCOPE_NOT_HELD, OBJECT_LIMIT_REACHED. */
struct status api_keys_rotate(
    struct ctx *cx,
    struct tx *tx,
    const struct id *key_id,
    int64_t overlap_us,
    struct issued_key *ret_issued,
    struct api_key *ret_old) MUST_CHECK;

/* Ends a key; the event makes every server forget it at once. note is for the audit log. Fails with
 * API_KEY_NOT_FOUND. */
struct status api_keys_revoke(
    struct ctx *cx,
    struct tx *tx,
    const struct id *key_id,
    const char *note,
    struct api_key *ret_key) MUST_CHECK;

/* After the commit of a rotation or revocation: this server does not wait for the event. */
void api_keys_forget(struct services *services, const struct id *key_id);

/* Fails with API_KEY_NOT_FOUND. */
struct status api_keys_get(
    struct ctx *cx, struct services *services, const struct id *key_id, struct api_key *ret_key)
    MUST_CHECK;

/* Newest first, those before the key `before` (zero: from the newest). */
struct status api_keys_list(
    struct ctx *cx,
    struct services *services,
    bool include_closed,
    const struct id *before,
    int32_t max,
    struct api_key **ret_keys,
    size_t *ret_count) MUST_CHECK;
