#include "base/heap.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#undef calloc
#undef realloc
#undef free

static _Atomic long fail_after = -1;

/* Counts down to 0 and stays there: only a negative number means that nothing fails. */
static bool must_fail(void)
{
    long left = atomic_load_explicit(&fail_after, memory_order_relaxed);

    while (left > 0 && !atomic_compare_exchange_weak(&fail_after, &left, left - 1)) {
    }
    return left == 0;
}

void *heap_new(size_t size)
{
    return must_fail() ? NULL : calloc(1, size == 0 ? 1 : size);
}

void *heap_grow(void *block, size_t size)
{
    return must_fail() ? NULL : realloc(block, size);
}

char *heap_text(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = heap_new(size);

    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void heap_free(void *block)
{
    free(block);
}

void heap_fail_after(long allowed)
{
    atomic_store(&fail_after, allowed);
}
