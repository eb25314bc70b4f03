#pragma once

/* The decoder of application/x-www-form-urlencoded as the payment provider reads it:
 * "items[0][price]=p&expand[]=x&metadata[k]=". Keys are kept as text with every "[]" turned into
 * the index that it means. A key that is there with an empty value is something else than an absent
 * key: the first unsets, the second leaves alone. Everything is in the arena given. */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct arena;

#define FORM_PAIRS_MAX 1000
#define FORM_KEY_BYTES_MAX 200

struct form_pair {
    const char *key;
    const char *value;
};

struct form {
    struct form_pair *pairs;
    size_t count;
};

void form_init(struct form *form, struct arena *arena);

/* Adds what a query or a body says. False when it cannot be read, with the words why. */
bool form_parse(
    struct form *form, struct arena *arena, const char *text, size_t len, const char **ret_problem);

/* NULL when absent, "" when it is there to be unset. */
const char *form_get(const struct form *form, const char *key);
const char *form_getf(const struct form *form, const char *format, ...) PRINTF_LIKE(2, 3);

/* The key itself or anything below it. */
bool form_has(const struct form *form, const char *key);

/* One more than the largest index directly below the key. */
size_t form_len(const struct form *form, const char *key);

/* The name between the brackets when pair is directly below the key, as "k" in "metadata[k]"; in
 * the arena. NULL otherwise. */
const char *form_member(struct arena *arena, const struct form_pair *pair, const char *key);
