#include "cache/catalog_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/heap.h"

struct catalog_cache {
    pthread_mutex_t lock;
    struct hash *by_org;
    size_t organizations_max;
    size_t hand;
    uint64_t invalidations;
};

static int by_key(const void *a, const void *b)
{
    /* Both structs begin with their key. */
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *add_text(char **end, const char *text)
{
    char *copy = *end;
    const size_t size = strlen(text) + 1;

    memcpy(copy, text, size);
    *end += size;
    return copy;
}

struct catalog_index *catalog_index_new(int64_t org_id, const struct catalog_keys *keys)
{
    size_t size = sizeof(struct catalog_index) + keys->feature_count * sizeof keys->features[0] +
                  keys->meter_count * sizeof keys->meters[0];
    struct catalog_index *index = NULL;
    struct catalog_keys *own = NULL;
    char *texts = NULL;

    for (size_t i = 0; i < keys->feature_count; i++) {
        size += strlen(keys->features[i].key) + 1;
    }
    for (size_t i = 0; i < keys->meter_count; i++) {
        size += strlen(keys->meters[i].key) + 1;
    }
    index = heap_new(size);
    if (index == NULL) {
        return NULL;
    }
    atomic_init(&index->references, 1);
    index->org_id = org_id;
    own = &index->keys;
    *own = *keys;
    own->features = (struct catalog_feature *)(void *)(index + 1);
    own->meters = (struct catalog_meter *)(void *)(own->features + own->feature_count);
    texts = (char *)(own->meters + own->meter_count);
    for (size_t i = 0; i < own->feature_count; i++) {
        own->features[i] = keys->features[i];
        own->features[i].key = add_text(&texts, keys->features[i].key);
    }
    for (size_t i = 0; i < own->meter_count; i++) {
        own->meters[i] = keys->meters[i];
        own->meters[i].key = add_text(&texts, keys->meters[i].key);
    }
    qsort(own->features, own->feature_count, sizeof own->features[0], by_key);
    qsort(own->meters, own->meter_count, sizeof own->meters[0], by_key);
    return index;
}

void catalog_index_put(struct catalog_index *index)
{
    if (index != NULL &&
        atomic_fetch_sub_explicit(&index->references, 1, memory_order_acq_rel) == 1) {
        heap_free(index);
    }
}

const struct catalog_feature *
catalog_index_feature(const struct catalog_index *index, const char *key)
{
    return bsearch(
        &key,
        index->keys.features,
        index->keys.feature_count,
        sizeof index->keys.features[0],
        by_key);
}

const struct catalog_meter *catalog_index_meter(const struct catalog_index *index, const char *key)
{
    return bsearch(
        &key, index->keys.meters, index->keys.meter_count, sizeof index->keys.meters[0], by_key);
}

const char *catalog_index_meter_key(const struct catalog_index *index, int32_t meter_no)
{
    for (size_t i = 0; i < index->keys.meter_count; i++) {
        if (index->keys.meters[i].meter_no == meter_no) {
            return index->keys.meters[i].key;
        }
    }
    return "";
}

struct catalog_cache *catalog_cache_new(size_t organizations_max)
{
    struct catalog_cache *cache = heap_new(sizeof *cache);

    if (cache == NULL) {
        return NULL;
    }
    pthread_mutex_init(&cache->lock, NULL);
    cache->organizations_max = organizations_max;
    cache->by_org = hash_new(organizations_max);
    if (cache->by_org == NULL) {
        catalog_cache_free(cache);
        return NULL;
    }
    return cache;
}

void catalog_cache_free(struct catalog_cache *cache)
{
    struct catalog_index *index = NULL;
    size_t cursor = 0;

    if (cache == NULL) {
        return;
    }
    while (cache->by_org != NULL && (index = hash_next(cache->by_org, &cursor)) != NULL) {
        catalog_index_put(index);
    }
    hash_free(cache->by_org);
    pthread_mutex_destroy(&cache->lock);
    heap_free(cache);
}

struct catalog_index *catalog_cache_get(struct catalog_cache *cache, int64_t org_id)
{
    struct catalog_index *index = NULL;

    pthread_mutex_lock(&cache->lock);
    index = hash_get(cache->by_org, &org_id, sizeof org_id);
    if (index != NULL) {
        atomic_fetch_add_explicit(&index->references, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&cache->lock);
    return index;
}

uint64_t catalog_cache_ticket(struct catalog_cache *cache)
{
    uint64_t ticket = 0;

    pthread_mutex_lock(&cache->lock);
    ticket = cache->invalidations;
    pthread_mutex_unlock(&cache->lock);
    return ticket;
}

static void drop(struct catalog_cache *cache, int64_t org_id)
{
    catalog_index_put(hash_remove(cache->by_org, &org_id, sizeof org_id));
}

void catalog_cache_put(struct catalog_cache *cache, struct catalog_index *index, uint64_t ticket)
{
    pthread_mutex_lock(&cache->lock);
    if (ticket == cache->invalidations) {
        drop(cache, index->org_id);
        if (hash_count(cache->by_org) >= cache->organizations_max) {
            struct catalog_index *oldest = hash_next(cache->by_org, &cache->hand);

            if (oldest == NULL) {
                cache->hand = 0;
                oldest = hash_next(cache->by_org, &cache->hand);
            }
            drop(cache, oldest->org_id);
        }
        if (hash_put(cache->by_org, &index->org_id, sizeof index->org_id, index, NULL)) {
            atomic_fetch_add_explicit(&index->references, 1, memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(&cache->lock);
}

void catalog_cache_invalidate(struct catalog_cache *cache, int64_t org_id)
{
    pthread_mutex_lock(&cache->lock);
    cache->invalidations++;
    drop(cache, org_id);
    pthread_mutex_unlock(&cache->lock);
}

void catalog_cache_clear(struct catalog_cache *cache)
{
    struct catalog_index *index = NULL;
    size_t cursor = 0;

    pthread_mutex_lock(&cache->lock);
    cache->invalidations++;
    while ((index = hash_next(cache->by_org, &cursor)) != NULL) {
        drop(cache, index->org_id);
        cursor--; /* a later entry may have moved into the freed place */
    }
    pthread_mutex_unlock(&cache->lock);
}
