#pragma once

/* A slice of text that somebody else owns; not NUL-terminated. Passed by value. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct arena;

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_ARG(s) (int)(s).len, (s).ptr /* for "%.*s" */

static inline struct str str_of(const char *text)
{
    return (struct str){text, text == NULL ? 0 : strlen(text)};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

/* NUL-terminated copy in the arena. */
const char *str_text(struct arena *arena, struct str s);

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF) without NUL bytes. */
bool str_is_utf8(struct str s);

/* A decimal integer that fills the whole slice and fits. */
bool str_to_i64(struct str s, long long *ret_value);

/* How many single-letter edits apart, at most `limit` + 1; for "did you mean". */
size_t str_distance(struct str a, struct str b, size_t limit);
