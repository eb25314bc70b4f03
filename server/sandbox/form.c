#include "sandbox/form.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

void form_init(struct form *form, struct arena *arena)
{
    *form = (struct form){.pairs = arena_alloc(arena, FORM_PAIRS_MAX * sizeof *form->pairs)};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* NULL when an escape is broken or what comes out is no text. */
static const char *decode(struct arena *arena, const char *text, size_t len)
{
    char *out = arena_text_n(arena, text, len);
    size_t out_len = 0;

    if (arena_failed(arena)) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            const int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
            const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

            if (low < 0) {
                return NULL;
            }
            ((unsigned char *)out)[out_len++] = (unsigned char)(high * 16 + low);
            i += 2;
        } else {
            out[out_len++] = (char)(text[i] == '+' ? ' ' : text[i]);
        }
    }
    out[out_len] = '\0';
    return str_is_utf8((struct str){out, out_len}) ? out : NULL;
}

/* "a[]" means the next free element of a; "a[][b]" the current one until it has a b already. */
static const char *number_brackets(struct arena *arena, const struct form *form, const char *key)
{
    const char *brackets = strstr(key, "[]");
    char *prefix = NULL;
    size_t next = 0;

    if (brackets == NULL || brackets == key) {
        return key;
    }
    prefix = arena_text_n(arena, key, (size_t)(brackets - key));
    next = form_len(form, prefix);
    if (brackets[2] != '\0' && next > 0) {
        const char *candidate = arena_printf(arena, "%s[%zu]%s", prefix, next - 1, brackets + 2);

        if (form_get(form, candidate) == NULL) {
            return candidate;
        }
    }
    return arena_printf(arena, "%s[%zu]%s", prefix, next, brackets + 2);
}

static bool
parse_pair(struct form *form, struct arena *arena, struct str pair, const char **ret_problem)
{
    const char *equals = memchr(pair.ptr, '=', pair.len);
    const size_t key_len = equals == NULL ? pair.len : (size_t)(equals - pair.ptr);
    const char *key = decode(arena, pair.ptr, key_len);
    const char *value = equals == NULL ? "" : decode(arena, equals + 1, pair.len - key_len - 1);

    if (key == NULL || value == NULL) {
        *ret_problem = "Invalid percent-encoding or UTF-8 in the request.";
        return false;
    }
    if (form->count == FORM_PAIRS_MAX || strlen(key) > FORM_KEY_BYTES_MAX) {
        *ret_problem = "The request has too many parameters or too long names.";
        return false;
    }
    form->pairs[form->count] =
        (struct form_pair){.key = number_brackets(arena, form, key), .value = value};
    form->count++;
    return true;
}

bool form_parse(
    struct form *form, struct arena *arena, const char *text, size_t len, const char **ret_problem)
{
    const char *end = text + len;

    while (text < end) {
        const char *next = memchr(text, '&', (size_t)(end - text));
        const struct str pair = {text, (size_t)((next == NULL ? end : next) - text)};

        if (pair.len > 0 && !parse_pair(form, arena, pair, ret_problem)) {
            return false;
        }
        text = next == NULL ? end : next + 1;
    }
    return true;
}

const char *form_get(const struct form *form, const char *key)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->pairs[i].key, key) == 0) {
            return form->pairs[i].value;
        }
    }
    return NULL;
}

const char *form_getf(const struct form *form, const char *format, ...)
{
    char key[FORM_KEY_BYTES_MAX + 1];
    va_list args;

    va_start(args, format);
    vsnprintf(key, sizeof key, format, args);
    va_end(args);
    return form_get(form, key);
}

/* What follows the key in a pair's name when it lies below it: "[0][price]". */
static const char *below(const struct form_pair *pair, const char *key)
{
    const size_t len = strlen(key);

    return strncmp(pair->key, key, len) == 0 && pair->key[len] == '[' ? pair->key + len : NULL;
}

bool form_has(const struct form *form, const char *key)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->pairs[i].key, key) == 0 || below(&form->pairs[i], key) != NULL) {
            return true;
        }
    }
    return false;
}

size_t form_len(const struct form *form, const char *key)
{
    size_t len = 0;

    for (size_t i = 0; i < form->count; i++) {
        const char *rest = below(&form->pairs[i], key);

        if (rest != NULL && isdigit((unsigned char)rest[1])) {
            const unsigned long index = strtoul(rest + 1, NULL, 10);

            if (index < FORM_PAIRS_MAX && index + 1 > len) {
                len = index + 1;
            }
        }
    }
    return len;
}

const char *form_member(struct arena *arena, const struct form_pair *pair, const char *key)
{
    const char *rest = below(pair, key);
    const size_t len = rest == NULL ? 0 : strlen(rest);

    if (len < 3 || strchr(rest, ']') != rest + len - 1) {
        return NULL;
    }
    return arena_text_n(arena, rest + 1, len - 2);
}
