#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"

#define ALIGNMENT alignof(max_align_t)
#define BLOCK_BYTES ((size_t)16 * 1024)
#define SCRATCH_BYTES ((size_t)4 * 1024)

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) char bytes[];
};

/* Written by requests that have already failed, one per thread; nobody reads it for its content. */
static _Thread_local alignas(max_align_t) char scratch[SCRATCH_BYTES];

void arena_init(struct arena *arena, void *first, size_t first_size, size_t cap_bytes)
{
    *arena = (struct arena){.cap_bytes = cap_bytes};
    if (first != NULL) {
        const uintptr_t start = ((uintptr_t)first + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);

        arena->next = (char *)first + (start - (uintptr_t)first);
        arena->end = (char *)first + first_size;
    }
}

void arena_release(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block != NULL) {
        struct arena_block *next = block->next;

        heap_free(block);
        block = next;
    }
    *arena = (struct arena){.failed = true};
}

static void *take(struct arena *arena, size_t size, size_t cap_bytes)
{
    const size_t rounded = ((size == 0 ? 1 : size) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    void *memory = NULL;

    if (rounded < size || arena->used_bytes > cap_bytes ||
        rounded > cap_bytes - arena->used_bytes) {
        arena->failed = true;
        return NULL;
    }
    if ((size_t)(arena->end - arena->next) < rounded) {
        const size_t block_bytes = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        struct arena_block *block = heap_new(sizeof *block + block_bytes);

        if (block == NULL) {
            arena->failed = true;
            return NULL;
        }
        block->next = arena->blocks;
        arena->blocks = block;
        arena->next = block->bytes;
        arena->end = block->bytes + block_bytes;
    }
    memory = arena->next;
    arena->next += rounded;
    arena->used_bytes += rounded;
    return memory;
}

void *arena_try_alloc(struct arena *arena, size_t size)
{
    return arena->failed ? NULL : take(arena, size, arena->cap_bytes);
}

/* Past the cap small pieces are still handed out, up to the cap once more: code that builds a list
 * must never get the same memory twice. Only when the heap itself is empty do pieces overlap. */
void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = arena_try_alloc(arena, size);

    if (memory == NULL && size <= SCRATCH_BYTES) {
        memory = take(arena, size, 2 * arena->cap_bytes);
    }
    if (memory != NULL) {
        return memory;
    }
    if (size > SCRATCH_BYTES) {
        return NULL;
    }
    memset(scratch, 0, sizeof scratch);
    return scratch;
}

char *arena_text_n(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_try_alloc(arena, len + 1);

    if (copy == NULL) {
        memset(scratch, 0, sizeof scratch);
        return scratch;
    }
    if (len > 0) {
        memcpy(copy, text, len);
    }
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_text_n(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    int len = 0;
    char *text = NULL;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) {
        arena->failed = true;
        memset(scratch, 0, sizeof scratch);
        return scratch;
    }
    text = arena_try_alloc(arena, (size_t)len + 1);
    if (text == NULL) {
        memset(scratch, 0, sizeof scratch);
        return scratch;
    }
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}
