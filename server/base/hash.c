#include "base/hash.h"

#include <pthread.h>
#include <string.h>

#include "base/heap.h"
#include "base/id.h"

struct slot {
    uint64_t hash; /* 0: empty */
    const void *key;
    size_t key_len;
    void *value;
};

struct hash {
    size_t max;
    size_t count;
    size_t mask; /* slots - 1; their number is a power of two */
    struct slot slots[];
};

static pthread_once_t seeded = PTHREAD_ONCE_INIT;
static uint64_t seed[2];

static void draw_seed(void)
{
    random_bytes(seed, sizeof seed);
}

static uint64_t rotated(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[0] = rotated(v[0], 32);
    v[2] += v[3];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

/* SipHash-1-3, as the maps of Rust and Python use it. */
uint64_t hash_bytes(const void *bytes, size_t len)
{
    const unsigned char *from = bytes;
    uint64_t v[4];
    uint64_t word = 0;

    pthread_once(&seeded, draw_seed);
    v[0] = seed[0] ^ UINT64_C(0x736f6d6570736575);
    v[1] = seed[1] ^ UINT64_C(0x646f72616e646f6d);
    v[2] = seed[0] ^ UINT64_C(0x6c7967656e657261);
    v[3] = seed[1] ^ UINT64_C(0x7465646279746573);
    for (size_t left = len; left >= sizeof word; left -= sizeof word) {
        memcpy(&word, from, sizeof word);
        from += sizeof word;
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)len << 56;
    for (size_t i = 0; i < len % sizeof word; i++) {
        word |= (uint64_t)from[i] << (8 * i);
    }
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* At most two thirds of the slots are in use, so that a search for an absent key stays short. */
struct hash *hash_new(size_t max)
{
    struct hash *hash = NULL;
    size_t slots = 8;
    size_t bytes = 0;

    while (slots < max + max / 2 + 1) {
        if (slots > SIZE_MAX / 2 / sizeof(struct slot)) {
            return NULL;
        }
        slots *= 2;
    }
    bytes = sizeof *hash + slots * sizeof hash->slots[0];
    hash = heap_new(bytes);
    if (hash != NULL) {
        hash->max = max;
        hash->mask = slots - 1;
    }
    return hash;
}

void hash_free(struct hash *hash)
{
    heap_free(hash);
}

static uint64_t hash_of(const void *key, size_t key_len)
{
    const uint64_t hash = hash_bytes(key, key_len);

    return hash == 0 ? 1 : hash;
}

/* The slot of the key, or the empty one where it would go. */
static size_t find(const struct hash *hash, const void *key, size_t key_len, uint64_t of_key)
{
    size_t at = of_key & hash->mask;

    for (;;) {
        const struct slot *slot = &hash->slots[at];

        if (slot->hash == 0 || (slot->hash == of_key && slot->key_len == key_len &&
                                (key_len == 0 || memcmp(slot->key, key, key_len) == 0))) {
            return at;
        }
        at = (at + 1) & hash->mask;
    }
}

void *hash_get(const struct hash *hash, const void *key, size_t key_len)
{
    return hash->slots[find(hash, key, key_len, hash_of(key, key_len))].value;
}

bool hash_put(struct hash *hash, const void *key, size_t key_len, void *value, void **ret_old)
{
    const uint64_t of_key = hash_of(key, key_len);
    struct slot *slot = &hash->slots[find(hash, key, key_len, of_key)];

    if (slot->hash == 0) {
        if (hash->count == hash->max) {
            return false;
        }
        hash->count++;
    }
    if (ret_old != NULL) {
        *ret_old = slot->value;
    }
    *slot = (struct slot){of_key, key, key_len, value};
    return true;
}

/* Closes the gap: what stands behind it in the same run moves forward, unless that would put it in
 * front of the slot where its search begins. So no marks of the dead are needed. */
void *hash_remove(struct hash *hash, const void *key, size_t key_len)
{
    size_t gap = find(hash, key, key_len, hash_of(key, key_len));
    void *removed = hash->slots[gap].value;
    size_t at = gap;

    if (hash->slots[gap].hash == 0) {
        return NULL;
    }
    for (;;) {
        size_t wanted = 0;

        at = (at + 1) & hash->mask;
        if (hash->slots[at].hash == 0) {
            break;
        }
        wanted = hash->slots[at].hash & hash->mask;
        if (((at - wanted) & hash->mask) >= ((at - gap) & hash->mask)) {
            hash->slots[gap] = hash->slots[at];
            gap = at;
        }
    }
    hash->slots[gap] = (struct slot){0};
    hash->count--;
    return removed;
}

size_t hash_count(const struct hash *hash)
{
    return hash->count;
}

void *hash_next(const struct hash *hash, size_t *cursor)
{
    while (*cursor <= hash->mask) {
        const struct slot *slot = &hash->slots[(*cursor)++];

        if (slot->hash != 0) {
            return slot->value;
        }
    }
    return NULL;
}
