#pragma once

/* The memory of one request, job run or webhook event: handed out in order, freed whole.
 * Memory is zeroed (protobuf-c relies on it). When the cap or the heap is exhausted the arena goes
 * into the state "failed"; callers need not look, and whoever owns the arena asks arena_failed()
 * before it trusts the result.
 * Belongs to one thread. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct arena_block;

struct arena {
    char *next;
    char *end;
    struct arena_block *blocks;
    size_t used_bytes;
    size_t cap_bytes;
    bool failed;
};

/* first is memory of the caller (at least 64 bytes) that is used before the heap is asked; may be
 * NULL. It must be zeroed and stays the caller's. */
void arena_init(struct arena *arena, void *first, size_t first_size, size_t cap_bytes);
void arena_release(struct arena *arena);

/* Zeroed, aligned for every type. NULL when the arena has failed. Most callers want arena_alloc().
 */
void *arena_try_alloc(struct arena *arena, size_t size) MUST_CHECK;

/* Like arena_try_alloc(), and never NULL for blocks up to 4 KiB: past the cap it goes on for a
 * while (the arena has failed all the same), and with an empty heap it hands out shared scratch
 * memory whose content means nothing. Larger blocks can be NULL after a failure. */
void *arena_alloc(struct arena *arena, size_t size);

/* NUL-terminated copies. */
char *arena_text(struct arena *arena, const char *text);
char *arena_text_n(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list args) PRINTF_LIKE(2, 0);

bool arena_failed(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
