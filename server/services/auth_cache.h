#pragma once

/* What authorisation knows of API keys, by the SHA-256 of their secret: so that the hot path asks
 * no database, and goes on without one for a while.
 *
 *     age      0 ........ lifetime ............ stale bound
 *              FRESH      EXPIRED: one caller   gone
 *                         asks, others use it
 *
 * Unknown keys are remembered too, for seconds and in a small room of their own, so that junk does
 * not come through to the database and does not push real keys out.
 * Thread-safe: 16 parts with a lock each, held for one look-up, never across I/O. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/ctx.h"
#include "base/digest.h"
#include "base/id.h"
#include "store/api_key_store.h"

struct auth_cache;

struct auth_cache_config {
    size_t keys_max;
    int64_t lifetime_ms;
    int64_t stale_ms_max; /* how long a key works while the database is away; >= lifetime_ms */
};

/* NULL without memory. Owned by the caller, free with auth_cache_free(). */
struct auth_cache *auth_cache_new(const struct auth_cache_config *config) MUST_CHECK;
void auth_cache_free(struct auth_cache *cache);

struct auth_key {
    bool known; /* false: there is no such key, and nothing else is set */
    int64_t org_id;
    struct id organization_id;
    struct id key_id;
    enum key_kind kind;
    uint64_t scopes;    /* in the end, api_key_scopes() */
    int64_t expires_us; /* 0: never */
    int64_t revoked_us; /* 0: not revoked */
    int64_t last_used_us;
};

enum auth_freshness {
    AUTH_ABSENT,
    AUTH_FRESH,
    AUTH_EXPIRED
};

/* ret_key is set unless ABSENT. EXPIRED is told to one caller a second (of those who may block, and
 * of those who may not: they come again on a thread that may); it should ask the database, and may
 * use the key when that is away. Notes the use. */
enum auth_freshness auth_cache_get(
    struct auth_cache *cache,
    const uint8_t hash[SHA256_SIZE],
    const struct ctx *cx,
    struct auth_key *ret_key);

/* Taken before the database is asked and given to auth_cache_put(): what was read before a drop is
 * not kept after it. */
uint64_t auth_cache_generation(struct auth_cache *cache);
void auth_cache_put(
    struct auth_cache *cache,
    const uint8_t hash[SHA256_SIZE],
    const struct auth_key *key,
    uint64_t generation);

/* A key has changed (EVENT_API_KEY_CHANGED): ask anew. */
void auth_cache_drop(struct auth_cache *cache, const struct id *key_id);
void auth_cache_drop_all(struct auth_cache *cache);

/* Keys used since their use was last noted in the database, at most once a minute each; they count
 * as noted from now on. Returns how many of max there are. */
size_t auth_cache_take_uses(struct auth_cache *cache, struct api_key_use *ret_uses, size_t max);
