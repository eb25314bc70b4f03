#pragma once

/* The keys of an organisation's features and meters, for telling an unknown key from one that is
 * not in the plan, and for counting usage. Thread-safe. Freshness as in entitlement_cache.h, with
 * one number for all: catalogues change rarely. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "domain/catalog_keys.h"

/* Never changed after it was made; counted references. The arrays are sorted by key. */
struct catalog_index {
    _Atomic int64_t references;
    int64_t org_id;
    struct catalog_keys keys;
};

struct catalog_cache;

struct catalog_cache *catalog_cache_new(size_t organizations_max) MUST_CHECK;
void catalog_cache_free(struct catalog_cache *cache);

/* A copy in one block with one reference; sorts. NULL without memory. */
struct catalog_index *catalog_index_new(int64_t org_id, const struct catalog_keys *keys) MUST_CHECK;
void catalog_index_put(struct catalog_index *index);
const struct catalog_feature *
catalog_index_feature(const struct catalog_index *index, const char *key);
const struct catalog_meter *catalog_index_meter(const struct catalog_index *index, const char *key);
/* "" when no live meter has the number. */
const char *catalog_index_meter_key(const struct catalog_index *index, int32_t meter_no);

/* A reference or NULL. */
struct catalog_index *catalog_cache_get(struct catalog_cache *cache, int64_t org_id);
uint64_t catalog_cache_ticket(struct catalog_cache *cache);
void catalog_cache_put(struct catalog_cache *cache, struct catalog_index *index, uint64_t ticket);
void catalog_cache_invalidate(struct catalog_cache *cache, int64_t org_id);
void catalog_cache_clear(struct catalog_cache *cache);
