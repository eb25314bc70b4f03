#include "base/id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/digest.h"

#define LETTERS 26 /* of 5 bits each: 130, so that the first one is at most 7 */

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static const char *const prefixes[] = {
#define X(kind, prefix) [ID_##kind] = (prefix),
    ID_KINDS(X)
#undef X
};

void random_bytes(void *ret_bytes, size_t len)
{
    char *next = ret_bytes;

    while (len > 0) {
        const ssize_t got = getrandom(next, len, 0);

        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            abort(); /* without randomness there are no keys and no ids */
        }
        next += got;
        len -= (size_t)got;
    }
}

static void set_time(struct id *id, int64_t at_us)
{
    const uint64_t at_ms = at_us < 0 ? 0 : (uint64_t)at_us / 1000;

    for (size_t i = 0; i < 6; i++) {
        id->bytes[i] = (uint8_t)(at_ms >> (40 - 8 * i));
    }
}

struct id id_first(int64_t at_us)
{
    struct id id = {0};

    set_time(&id, at_us);
    return id;
}

struct id id_new(int64_t now_us)
{
    struct id id;

    random_bytes(id.bytes, sizeof id.bytes);
    set_time(&id, now_us);
    id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0f)); /* version 7 */
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f)); /* variant of RFC 9562 */
    return id;
}

struct id id_derived(const void *data, size_t len)
{
    uint8_t digest[SHA256_SIZE];
    struct id id;

    sha256(data, len, digest);
    memcpy(id.bytes, digest, sizeof id.bytes);
    return id;
}

void id_format(enum id_kind kind, const struct id *id, char ret_text[ID_TEXT_SIZE])
{
    const size_t prefix_len = strlen(prefixes[kind]);
    char *letters = ret_text + prefix_len + 1;
    uint32_t bits = 0;
    int bit_count = 2; /* the two that are missing in front are zero */

    memcpy(ret_text, prefixes[kind], prefix_len);
    ret_text[prefix_len] = '_';
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        bits = bits << 8 | id->bytes[i];
        bit_count += 8;
        while (bit_count >= 5) {
            bit_count -= 5;
            *letters++ = alphabet[bits >> bit_count & 31];
        }
    }
    *letters = '\0';
}

const char *id_text(struct arena *arena, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    if (id_is_zero(id)) {
        return "";
    }
    id_format(kind, id, text);
    return arena_text(arena, text);
}

/* -1 for what is no letter of ours. */
static int letter_value(char letter)
{
    static const signed char values_plus_one[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,
        ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14,
        ['E'] = 15, ['F'] = 16, ['G'] = 17, ['H'] = 18, ['J'] = 19, ['K'] = 20, ['M'] = 21,
        ['N'] = 22, ['P'] = 23, ['Q'] = 24, ['R'] = 25, ['S'] = 26, ['T'] = 27, ['V'] = 28,
        ['W'] = 29, ['X'] = 30, ['Y'] = 31, ['Z'] = 32,
    };

    return values_plus_one[(unsigned char)letter] - 1;
}

bool id_parse(enum id_kind kind, const char *text, struct id *ret_id)
{
    const size_t prefix_len = strlen(prefixes[kind]);
    const char *letters = text + prefix_len + 1;
    struct id id = {0};
    uint32_t bits = 0;
    int bit_count = -2; /* the two bits in front are no part of the id */
    size_t filled = 0;

    if (strncmp(text, prefixes[kind], prefix_len) != 0 || text[prefix_len] != '_' ||
        strlen(letters) != LETTERS || letter_value(letters[0]) > 7) {
        return false;
    }
    for (size_t i = 0; i < LETTERS; i++) {
        const int value = letter_value(letters[i]);

        if (value < 0) {
            return false;
        }
        bits = bits << 5 | (uint32_t)value;
        bit_count += 5;
        if (bit_count >= 8) {
            bit_count -= 8;
            id.bytes[filled++] = (uint8_t)(bits >> bit_count);
        }
    }
    *ret_id = id;
    return true;
}

bool id_is_zero(const struct id *id)
{
    static const struct id zero;

    return id_equal(id, &zero);
}

bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

const char *id_prefix(enum id_kind kind)
{
    return prefixes[kind];
}
