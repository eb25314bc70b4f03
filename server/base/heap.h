#pragma once

/* Memory that outlives a request: caches, pools, rings. Everything else lives in an arena.
 * Thread-safe. heap_fail_after() makes the n-th allocation fail, for tests. */

#include <stddef.h>

#include "base/cleanup.h"

/* Zeroed memory, NULL when there is none. Owned by the caller, free with heap_free(). */
void *heap_new(size_t size) MUST_CHECK;

/* Grows a block, keeping its content; the new part is not zeroed. NULL leaves the old one alone. */
void *heap_grow(void *block, size_t size) MUST_CHECK;

/* A copy of a NUL-terminated text, NULL when there is no memory. */
char *heap_text(const char *text) MUST_CHECK;

/* Takes NULL. */
void heap_free(void *block);

/* Makes every allocation after the next `allowed` ones fail; a negative number switches it off. */
void heap_fail_after(long allowed);
