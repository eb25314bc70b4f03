#include "services/auth_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/deadline.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/wallclock.h"

#define PARTS 16 /* more than the threads that ask at the same time */
#define UNKNOWN_MAX_PER_PART 64
#define UNKNOWN_LIFETIME_US (5 * US_PER_SECOND)
#define ASK_PAUSE_US US_PER_SECOND
#define USE_NOTE_US US_PER_MINUTE

struct entry {
    uint8_t hash[SHA256_SIZE];
    struct auth_key key;
    int64_t loaded_us;   /* monotonic */
    int64_t asked_us[2]; /* monotonic, by may_block: when somebody last went to ask */
    int64_t used_us;     /* wall clock; 0: not used since it was noted */
    int64_t noted_us;    /* wall clock */
    struct entry *older;
    struct entry *newer;
};

/* Entries in the order in which they were read; the oldest makes room. */
struct line {
    struct entry *oldest;
    struct entry *newest;
    size_t count;
    size_t max;
};

struct part {
    pthread_mutex_t lock;
    struct hash *entries;
    struct line known;
    struct line unknown;
};

struct auth_cache {
    int64_t lifetime_us;
    int64_t stale_us_max;
    _Atomic uint64_t generation;
    struct part parts[PARTS];
};

struct auth_cache *auth_cache_new(const struct auth_cache_config *config)
{
    struct auth_cache *cache = heap_new(sizeof *cache);
    const size_t known_max = (config->keys_max + PARTS - 1) / PARTS;

    if (cache == NULL) {
        return NULL;
    }
    cache->lifetime_us = config->lifetime_ms * 1000;
    cache->stale_us_max = config->stale_ms_max * 1000;
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &cache->parts[i];

        pthread_mutex_init(&part->lock, NULL);
        part->known.max = known_max == 0 ? 1 : known_max;
        part->unknown.max = UNKNOWN_MAX_PER_PART;
        part->entries = hash_new(part->known.max + part->unknown.max);
    }
    for (size_t i = 0; i < PARTS; i++) {
        if (cache->parts[i].entries == NULL) {
            auth_cache_free(cache);
            return NULL;
        }
    }
    return cache;
}

static void line_remove(struct line *line, struct entry *entry)
{
    *(entry->older == NULL ? &line->oldest : &entry->older->newer) = entry->newer;
    *(entry->newer == NULL ? &line->newest : &entry->newer->older) = entry->older;
    entry->older = NULL;
    entry->newer = NULL;
    line->count--;
}

static void line_add(struct line *line, struct entry *entry)
{
    entry->older = line->newest;
    *(line->newest == NULL ? &line->oldest : &line->newest->newer) = entry;
    line->newest = entry;
    line->count++;
}

static struct line *line_of(struct part *part, const struct entry *entry)
{
    return entry->key.known ? &part->known : &part->unknown;
}

static void part_remove(struct part *part, struct entry *entry)
{
    line_remove(line_of(part, entry), entry);
    hash_remove(part->entries, entry->hash, SHA256_SIZE);
    heap_free(entry);
}

static void part_clear(struct part *part)
{
    while (part->known.oldest != NULL) {
        part_remove(part, part->known.oldest);
    }
    while (part->unknown.oldest != NULL) {
        part_remove(part, part->unknown.oldest);
    }
}

void auth_cache_free(struct auth_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &cache->parts[i];

        part_clear(part);
        hash_free(part->entries);
        pthread_mutex_destroy(&part->lock);
    }
    heap_free(cache);
}

/* SHA-256 spreads keys evenly, and nobody can choose theirs. */
static struct part *part_of(struct auth_cache *cache, const uint8_t hash[SHA256_SIZE])
{
    return &cache->parts[hash[0] % PARTS];
}

static enum auth_freshness
judge(const struct auth_cache *cache, struct entry *entry, const struct ctx *cx)
{
    const int64_t now_us = monotonic_us();
    const int64_t age_us = now_us - entry->loaded_us;

    if (age_us < (entry->key.known ? cache->lifetime_us : UNKNOWN_LIFETIME_US)) {
        return AUTH_FRESH;
    }
    if (!entry->key.known || age_us >= cache->stale_us_max) {
        return AUTH_ABSENT;
    }
    if (now_us - entry->asked_us[cx->may_block] < ASK_PAUSE_US) {
        return AUTH_FRESH;
    }
    entry->asked_us[cx->may_block] = now_us;
    return AUTH_EXPIRED;
}

enum auth_freshness auth_cache_get(
    struct auth_cache *cache,
    const uint8_t hash[SHA256_SIZE],
    const struct ctx *cx,
    struct auth_key *ret_key)
{
    struct part *part = part_of(cache, hash);
    enum auth_freshness freshness = AUTH_ABSENT;
    struct entry *entry = NULL;

    pthread_mutex_lock(&part->lock);
    entry = hash_get(part->entries, hash, SHA256_SIZE);
    if (entry != NULL) {
        freshness = judge(cache, entry, cx);
        if (freshness != AUTH_ABSENT) {
            entry->used_us = cx->now_us;
            *ret_key = entry->key;
        }
    }
    pthread_mutex_unlock(&part->lock);
    return freshness;
}

uint64_t auth_cache_generation(struct auth_cache *cache)
{
    return atomic_load_explicit(&cache->generation, memory_order_acquire);
}

/* A place for the key: its own again, or a new one, for which the oldest may have to go. */
static struct entry *part_place(struct part *part, const uint8_t hash[SHA256_SIZE], bool known)
{
    struct line *line = known ? &part->known : &part->unknown;
    struct entry *entry = hash_get(part->entries, hash, SHA256_SIZE);

    if (entry != NULL) {
        line_remove(line_of(part, entry), entry);
    }
    if (line->count == line->max) {
        part_remove(part, line->oldest);
    }
    if (entry != NULL) {
        return entry;
    }
    entry = heap_new(sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    memcpy(entry->hash, hash, SHA256_SIZE);
    if (!hash_put(part->entries, entry->hash, SHA256_SIZE, entry, NULL)) {
        heap_free(entry);
        return NULL;
    }
    return entry;
}

void auth_cache_put(
    struct auth_cache *cache,
    const uint8_t hash[SHA256_SIZE],
    const struct auth_key *key,
    uint64_t generation)
{
    struct part *part = part_of(cache, hash);
    struct entry *entry = NULL;

    pthread_mutex_lock(&part->lock);
    /* Compared under the lock, which a drop takes after it has raised the number. */
    if (auth_cache_generation(cache) == generation) {
        entry = part_place(part, hash, key->known);
    }
    if (entry != NULL) {
        entry->key = *key;
        entry->loaded_us = monotonic_us();
        memset(entry->asked_us, 0, sizeof entry->asked_us);
        if (entry->noted_us < key->last_used_us) {
            entry->noted_us = key->last_used_us;
        }
        line_add(line_of(part, entry), entry);
    }
    pthread_mutex_unlock(&part->lock);
}

/* Raising the number first closes the gap between a read that is under way and its put. */
static void next_generation(struct auth_cache *cache)
{
    atomic_fetch_add_explicit(&cache->generation, 1, memory_order_acq_rel);
}

void auth_cache_drop(struct auth_cache *cache, const struct id *key_id)
{
    next_generation(cache);
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &cache->parts[i];
        struct entry *newer = NULL;

        pthread_mutex_lock(&part->lock);
        for (struct entry *entry = part->known.oldest; entry != NULL; entry = newer) {
            newer = entry->newer;
            if (id_equal(&entry->key.key_id, key_id)) {
                part_remove(part, entry);
            }
        }
        pthread_mutex_unlock(&part->lock);
    }
}

void auth_cache_drop_all(struct auth_cache *cache)
{
    next_generation(cache);
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &cache->parts[i];

        pthread_mutex_lock(&part->lock);
        part_clear(part);
        pthread_mutex_unlock(&part->lock);
    }
}

size_t auth_cache_take_uses(struct auth_cache *cache, struct api_key_use *ret_uses, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < PARTS && count < max; i++) {
        struct part *part = &cache->parts[i];

        pthread_mutex_lock(&part->lock);
        for (struct entry *entry = part->known.oldest; entry != NULL && count < max;
             entry = entry->newer) {
            if (entry->used_us - entry->noted_us < USE_NOTE_US) {
                continue;
            }
            entry->noted_us = entry->used_us;
            ret_uses[count++] = (struct api_key_use){
                .org_id = entry->key.org_id,
                .key_id = entry->key.key_id,
                .used_us = entry->used_us,
            };
        }
        pthread_mutex_unlock(&part->lock);
    }
    return count;
}
