#include "cache/entitlement_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/heap.h"
#include "cache/entitlement_state.h"

#define SLOTS 16384
#define EXTERNAL_ID_BYTES_MAX 255

struct customer_key {
    int64_t org_id;
    struct id customer_id;
};

/* One cached state with the bytes of its two keys, which the maps borrow. */
struct cached {
    struct entitlement_state *state;
    struct customer_key key;
    size_t external_len; /* 0: no external id */
    char external_key[]; /* org_id, then the external id */
};

struct entitlement_cache {
    pthread_mutex_t lock;
    struct hash *by_id;
    struct hash *by_external;
    size_t customers_max;
    size_t hand; /* of the eviction */
    uint64_t invalidations;
    uint64_t cleared_at; /* tickets before this are too old whatever their slot says */
    uint64_t slots[SLOTS];
    _Atomic int64_t as_of_us;
    _Atomic bool following;
};

struct entitlement_cache *entitlement_cache_new(size_t customers_max)
{
    struct entitlement_cache *cache = heap_new(sizeof *cache);

    if (cache == NULL) {
        return NULL;
    }
    pthread_mutex_init(&cache->lock, NULL);
    cache->customers_max = customers_max;
    cache->by_id = hash_new(customers_max);
    cache->by_external = hash_new(customers_max);
    if (cache->by_id == NULL || cache->by_external == NULL) {
        entitlement_cache_free(cache);
        return NULL;
    }
    return cache;
}

static void cached_free(struct cached *cached)
{
    entitlement_state_put(cached->state);
    heap_free(cached);
}

static void drop(struct entitlement_cache *cache, struct cached *cached)
{
    hash_remove(cache->by_id, &cached->key, sizeof cached->key);
    /* Another customer may have taken over the external id meanwhile. */
    if (cached->external_len > 0 &&
        hash_get(cache->by_external, cached->external_key, cached->external_len) == cached) {
        hash_remove(cache->by_external, cached->external_key, cached->external_len);
    }
    cached_free(cached);
}

static void drop_where(struct entitlement_cache *cache, bool all, int64_t org_id)
{
    struct cached *cached = NULL;
    size_t cursor = 0;

    while ((cached = hash_next(cache->by_id, &cursor)) != NULL) {
        if (all || cached->key.org_id == org_id) {
            drop(cache, cached);
            cursor--; /* a later entry may have moved into the freed place */
        }
    }
}

void entitlement_cache_free(struct entitlement_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    if (cache->by_id != NULL && cache->by_external != NULL) {
        drop_where(cache, true, 0);
    }
    hash_free(cache->by_id);
    hash_free(cache->by_external);
    pthread_mutex_destroy(&cache->lock);
    heap_free(cache);
}

static struct entitlement_state *take_reference(struct cached *cached)
{
    if (cached == NULL) {
        return NULL;
    }
    atomic_store_explicit(&cached->state->touched, true, memory_order_relaxed);
    return entitlement_state_ref(cached->state);
}

struct entitlement_state *
entitlement_cache_get(struct entitlement_cache *cache, int64_t org_id, const struct id *customer_id)
{
    const struct customer_key key = {org_id, *customer_id};
    struct entitlement_state *state = NULL;

    pthread_mutex_lock(&cache->lock);
    state = take_reference(hash_get(cache->by_id, &key, sizeof key));
    pthread_mutex_unlock(&cache->lock);
    return state;
}

static size_t external_key(char *bytes, int64_t org_id, const char *external_id)
{
    const size_t len = strlen(external_id);

    memcpy(bytes, &org_id, sizeof org_id);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a key of bytes, its length beside it. */
    memcpy(bytes + sizeof org_id, external_id, len);
    return sizeof org_id + len;
}

struct entitlement_state *entitlement_cache_get_external(
    struct entitlement_cache *cache, int64_t org_id, const char *external_id)
{
    char key[sizeof org_id + EXTERNAL_ID_BYTES_MAX];
    struct entitlement_state *state = NULL;

    if (strlen(external_id) > EXTERNAL_ID_BYTES_MAX) {
        return NULL;
    }
    pthread_mutex_lock(&cache->lock);
    state =
        take_reference(hash_get(cache->by_external, key, external_key(key, org_id, external_id)));
    pthread_mutex_unlock(&cache->lock);
    return state;
}

uint64_t entitlement_cache_ticket(struct entitlement_cache *cache)
{
    uint64_t ticket = 0;

    pthread_mutex_lock(&cache->lock);
    ticket = cache->invalidations;
    pthread_mutex_unlock(&cache->lock);
    return ticket;
}

static uint64_t *slot_of(struct entitlement_cache *cache, const struct customer_key *key)
{
    return &cache->slots[hash_bytes(key, sizeof *key) % SLOTS];
}

/* Second chance: whoever was asked for since the hand last came by stays once more. */
static void evict_one(struct entitlement_cache *cache)
{
    for (size_t passed = 0; passed <= 2 * cache->customers_max; passed++) {
        struct cached *cached = hash_next(cache->by_id, &cache->hand);

        if (cached == NULL) {
            cache->hand = 0;
        } else if (!atomic_exchange_explicit(
                       &cached->state->touched, false, memory_order_relaxed)) {
            drop(cache, cached);
            return;
        }
    }
}

static struct cached *cached_new(struct entitlement_state *state)
{
    struct cached *cached =
        heap_new(sizeof *cached + sizeof state->org_id + strlen(state->external_id));

    if (cached != NULL) {
        cached->state = entitlement_state_ref(state);
        cached->key = (struct customer_key){state->org_id, state->customer_id};
        if (state->external_id[0] != '\0') {
            cached->external_len =
                external_key(cached->external_key, state->org_id, state->external_id);
        }
    }
    return cached;
}

static void store(struct entitlement_cache *cache, struct cached *cached)
{
    struct cached *old = hash_get(cache->by_id, &cached->key, sizeof cached->key);

    if (old != NULL && old->state->state_version > cached->state->state_version) {
        cached_free(cached);
        return;
    }
    if (old != NULL) {
        drop(cache, old);
    } else if (hash_count(cache->by_id) >= cache->customers_max) {
        evict_one(cache);
    }
    if (!hash_put(cache->by_id, &cached->key, sizeof cached->key, cached, NULL)) {
        cached_free(cached);
        return;
    }
    if (cached->external_len > 0) {
        hash_remove(cache->by_external, cached->external_key, cached->external_len);
        if (!hash_put(
                cache->by_external, cached->external_key, cached->external_len, cached, NULL)) {
            cached->external_len = 0;
        }
    }
}

void entitlement_cache_put(
    struct entitlement_cache *cache, struct entitlement_state *state, uint64_t ticket)
{
    struct cached *cached = cached_new(state);

    if (cached == NULL) {
        return;
    }
    pthread_mutex_lock(&cache->lock);
    if (ticket < cache->cleared_at || *slot_of(cache, &cached->key) > ticket) {
        cached_free(cached);
    } else {
        store(cache, cached);
    }
    pthread_mutex_unlock(&cache->lock);
}

void entitlement_cache_invalidate(
    struct entitlement_cache *cache, int64_t org_id, const struct id *customer_id)
{
    const struct customer_key key = {org_id, *customer_id};
    struct cached *cached = NULL;

    pthread_mutex_lock(&cache->lock);
    *slot_of(cache, &key) = ++cache->invalidations;
    cached = hash_get(cache->by_id, &key, sizeof key);
    if (cached != NULL) {
        drop(cache, cached);
    }
    pthread_mutex_unlock(&cache->lock);
}

void entitlement_cache_invalidate_org(struct entitlement_cache *cache, int64_t org_id)
{
    pthread_mutex_lock(&cache->lock);
    cache->cleared_at = ++cache->invalidations;
    drop_where(cache, false, org_id);
    pthread_mutex_unlock(&cache->lock);
}

void entitlement_cache_clear(struct entitlement_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->cleared_at = ++cache->invalidations;
    drop_where(cache, true, 0);
    pthread_mutex_unlock(&cache->lock);
}

void entitlement_cache_followed(struct entitlement_cache *cache, int64_t as_of_us)
{
    atomic_store(&cache->as_of_us, as_of_us);
    atomic_store(&cache->following, true);
}

void entitlement_cache_lost(struct entitlement_cache *cache)
{
    atomic_store(&cache->following, false);
}

bool entitlement_cache_following(struct entitlement_cache *cache, int64_t *ret_as_of_us)
{
    *ret_as_of_us = atomic_load(&cache->as_of_us);
    return atomic_load(&cache->following);
}

size_t entitlement_cache_count(struct entitlement_cache *cache)
{
    size_t count = 0;

    pthread_mutex_lock(&cache->lock);
    count = hash_count(cache->by_id);
    pthread_mutex_unlock(&cache->lock);
    return count;
}
