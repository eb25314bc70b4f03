#pragma once

/* API keys in the database, known by the SHA-256 of their secret; the secret is never stored.
 * Beside each key stands its row in credentials, the one table that is read before the tenant is
 * known. Thread-safe. Texts are in the arena of cx; the tenant is cx->caller.org_id. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/status.h"
#include "domain/api_key.h"

struct ctx;
struct db;
struct id;
struct tx;

/* What authorisation needs to know of a key. */
struct api_key_credential {
    struct api_key key;        /* without name, hints and creator */
    struct id organization_id; /* "org_..." */
};

/* Across all tenants, by the hash of the secret. *ret_found false: there is no such key. */
struct status api_key_store_find(
    struct ctx *cx,
    struct db *db,
    const uint8_t secret_hash[SHA256_SIZE],
    bool *ret_found,
    struct api_key_credential *ret_credential) MUST_CHECK;

/* One key whose last use is to be noted. */
struct api_key_use {
    int64_t org_id;
    struct id key_id;
    int64_t used_us;
};

/* Across all tenants: writes the times of last use, never backwards. */
struct status api_key_store_note_uses(
    struct ctx *cx, struct db *db, const struct api_key_use *uses, size_t count) MUST_CHECK;

struct status api_key_store_insert(
    struct ctx *cx,
    struct tx *tx,
    const struct api_key *key,
    const uint8_t secret_hash[SHA256_SIZE]) MUST_CHECK;

/* Fails with API_KEY_NOT_FOUND. */
struct status api_key_store_load(
    struct ctx *cx, struct db *db, const struct id *key_id, struct api_key *ret_key) MUST_CHECK;

/* The same, locked until the end of the transaction. */
struct status api_key_store_lock(
    struct ctx *cx, struct tx *tx, const struct id *key_id, struct api_key *ret_key) MUST_CHECK;

/* Those that work now. */
struct status api_key_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_count) MUST_CHECK;

/* Newest first, those before the key `before` (zero: from the newest). *ret_keys has up to max. */
struct status api_key_store_list(
    struct ctx *cx,
    struct db *db,
    bool include_closed,
    const struct id *before,
    int32_t max,
    struct api_key **ret_keys,
    size_t *ret_count) MUST_CHECK;

/* Writes expires_us, revoked_us and rotated_to. */
struct status
api_key_store_update(struct ctx *cx, struct tx *tx, const struct api_key *key) MUST_CHECK;
