#pragma once

/* A map from bytes to pointers with a fixed capacity: open addressing, seeded at start so that
 * nobody can choose colliding keys. Belongs to one thread, or is guarded by its owner. The key
 * bytes are borrowed and must live as long as the entry. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct hash;

/* Room for at least max entries. NULL without memory. Free with hash_free(); values are the
 * caller's. */
struct hash *hash_new(size_t max) MUST_CHECK;
void hash_free(struct hash *hash);

/* NULL when absent. */
void *hash_get(const struct hash *hash, const void *key, size_t key_len);

/* Replaces key and value; returns the old value or NULL through ret_old (may be NULL). False when
 * full. value is not NULL. */
bool hash_put(struct hash *hash, const void *key, size_t key_len, void *value, void **ret_old)
    MUST_CHECK;

/* The removed value, or NULL. */
void *hash_remove(struct hash *hash, const void *key, size_t key_len);

size_t hash_count(const struct hash *hash);

/* Visits in no particular order: start with *cursor = 0; NULL at the end. Nothing may be put or
 * removed on the way: entries move. */
void *hash_next(const struct hash *hash, size_t *cursor);

/* Seeded hash of bytes (the seed is drawn once per process). */
uint64_t hash_bytes(const void *bytes, size_t len);
