#pragma once

/* Reading a text[] of words without spaces, which the statement joins: array_to_string(x, ' '). */

#include <stddef.h>

struct ctx;
struct rows;

/* NULL-terminated, in the arena of cx; an empty array gives no words. */
const char *const *
row_words(struct ctx *cx, const struct rows *rows, size_t row, int column, size_t *ret_count);
