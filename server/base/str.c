#include "base/str.h"

#include <stdint.h>

#include "base/arena.h"

const char *str_text(struct arena *arena, struct str s)
{
    return arena_text_n(arena, s.ptr, s.len);
}

/* How many of the 8 bytes' worth in front are plain: no NUL and below 0x80. */
static bool eight_are_plain(const unsigned char *bytes)
{
    uint64_t word = 0;

    memcpy(&word, bytes, sizeof word);
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

/* The length of the well-formed sequence in front, 0 when there is none. Table 3-7 of Unicode. */
static size_t sequence_len(const unsigned char *bytes, size_t len)
{
    const unsigned char lead = bytes[0];
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t count = 0;

    if (lead < 0x80) {
        return lead == 0 ? 0 : 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        count = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        count = 3;
        low = lead == 0xe0 ? 0xa0 : low;   /* overlong */
        high = lead == 0xed ? 0x9f : high; /* surrogates */
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        count = 4;
        low = lead == 0xf0 ? 0x90 : low;   /* overlong */
        high = lead == 0xf4 ? 0x8f : high; /* beyond U+10FFFF */
    }
    if (count == 0 || len < count || bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return count;
}

bool str_is_utf8(struct str s)
{
    const unsigned char *bytes = (const unsigned char *)s.ptr;
    size_t at = 0;

    while (at < s.len) {
        size_t count = 8;

        if (s.len - at < 8 || !eight_are_plain(bytes + at)) {
            count = sequence_len(bytes + at, s.len - at);
        }
        if (count == 0) {
            return false;
        }
        at += count;
    }
    return true;
}

bool str_to_i64(struct str s, long long *ret_value)
{
    const bool negative = s.len > 0 && s.ptr[0] == '-';
    long long value = 0;

    if (s.len == (negative ? 1 : 0)) {
        return false;
    }
    for (size_t i = negative ? 1 : 0; i < s.len; i++) {
        const int digit = s.ptr[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

static size_t least(size_t a, size_t b, size_t c)
{
    const size_t lower = a < b ? a : b;

    return lower < c ? lower : c;
}

/* Levenshtein's distance, one row at a time. Names that are longer than a row are as good as
 * different: nobody mistypes them. */
size_t str_distance(struct str a, struct str b, size_t limit)
{
    size_t row[65];

    if (str_equal(a, b)) {
        return 0;
    }
    if (b.len >= sizeof row / sizeof row[0] || a.len > b.len + limit || b.len > a.len + limit) {
        return limit + 1;
    }
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const size_t replaced = diagonal + (a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1);

            diagonal = row[j];
            row[j] = least(replaced, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[b.len] <= limit ? row[b.len] : limit + 1;
}
