#include "http/json_scan.h"

#include <stdbool.h>
#include <stdint.h>

enum expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* behind "[" */
    EXPECT_KEY,
    EXPECT_KEY_OR_END, /* behind "{" */
    EXPECT_COMMA_OR_END,
};

struct scan {
    const char *at;
    const char *end;
    uint64_t objects; /* bit d: the container at depth d + 1 is an object */
    uint32_t depth;
    enum expect expect;
    size_t members;
    size_t values;
    size_t containers;
};

_Static_assert(JSON_DEPTH_MAX <= 64, "one bit for each level");

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')) {
        scan->at++;
    }
}

static bool take(struct scan *scan, char c)
{
    if (scan->at < scan->end && *scan->at == c) {
        scan->at++;
        return true;
    }
    return false;
}

static bool take_digits(struct scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && is_digit(*scan->at)) {
        scan->at++;
    }
    return scan->at > start;
}

static const char *scan_number(struct scan *scan)
{
    (void)take(scan, '-');
    if (!take(scan, '0') && !take_digits(scan)) {
        return "a value was expected";
    }
    if (scan->at < scan->end && is_digit(*scan->at)) {
        return "a number starts with 0";
    }
    if (take(scan, '.') && !take_digits(scan)) {
        return "a number ends with a point";
    }
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+')) {
            (void)take(scan, '-');
        }
        if (!take_digits(scan)) {
            return "a number has no exponent";
        }
    }
    return NULL;
}

static int hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind "\u"; -1 when they are not there. */
static int32_t take_unit(struct scan *scan)
{
    int32_t unit = 0;

    if (scan->end - scan->at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(*scan->at++);

        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static const char *scan_escape(struct scan *scan)
{
    static const char simple[] = "\"\\/bfnrt";
    int32_t unit = 0;

    if (scan->at < scan->end && memchr(simple, *scan->at, sizeof simple - 1) != NULL) {
        scan->at++;
        return NULL;
    }
    if (!take(scan, 'u')) {
        return "a text has an unknown escape";
    }
    unit = take_unit(scan);
    if (unit < 0) {
        return "a text has an unknown escape";
    }
    if (unit == 0) {
        return "a text has a NUL"; /* it would end the text in C */
    }
    if (unit >= 0xd800 && unit <= 0xdbff) {
        unit = take(scan, '\\') && take(scan, 'u') ? take_unit(scan) : -1;
        return unit >= 0xdc00 && unit <= 0xdfff ? NULL : "a text has half a surrogate pair";
    }
    return unit >= 0xdc00 && unit <= 0xdfff ? "a text has half a surrogate pair" : NULL;
}

/* Behind the opening quote. The bytes are known to be UTF-8. */
static const char *scan_text(struct scan *scan)
{
    while (scan->at < scan->end) {
        const char c = *scan->at++;

        if (c == '"') {
            return NULL;
        }
        if ((unsigned char)c < 0x20) {
            return "a text has a raw control character";
        }
        if (c == '\\') {
            const char *error = scan_escape(scan);

            if (error != NULL) {
                return error;
            }
        }
    }
    return "a text does not end";
}

static const char *scan_word(struct scan *scan)
{
    static const struct str words[] = {
        {"true", 4},
        {"false", 5},
        {"null", 4},
    };
    const struct str rest = {scan->at, (size_t)(scan->end - scan->at)};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_starts(rest, words[i])) {
            scan->at += words[i].len;
            return NULL;
        }
    }
    return scan_number(scan);
}

static const char *scan_open(struct scan *scan, bool object)
{
    if (scan->depth == JSON_DEPTH_MAX) {
        return "it is nested too deep";
    }
    if (++scan->containers > JSON_CONTAINERS_MAX) {
        return "it has too many objects and arrays";
    }
    if (object) {
        scan->objects |= UINT64_C(1) << scan->depth;
    } else {
        scan->objects &= ~(UINT64_C(1) << scan->depth);
    }
    scan->depth++;
    scan->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return NULL;
}

static bool in_object(const struct scan *scan)
{
    return (scan->objects >> (scan->depth - 1) & 1) != 0;
}

static const char *scan_value(struct scan *scan)
{
    if (++scan->values > JSON_VALUES_MAX) {
        return "it has too many values";
    }
    if (take(scan, '{')) {
        return scan_open(scan, true);
    }
    if (take(scan, '[')) {
        return scan_open(scan, false);
    }
    scan->expect = EXPECT_COMMA_OR_END;
    return take(scan, '"') ? scan_text(scan) : scan_word(scan);
}

static const char *scan_key(struct scan *scan)
{
    const char *error = take(scan, '"') ? scan_text(scan) : "a member name was expected";

    if (error != NULL) {
        return error;
    }
    scan->members++;
    scan->expect = EXPECT_VALUE;
    skip_space(scan);
    return take(scan, ':') ? NULL : "a colon was expected";
}

static bool take_end(struct scan *scan)
{
    if (!take(scan, in_object(scan) ? '}' : ']')) {
        return false;
    }
    scan->depth--;
    scan->expect = EXPECT_COMMA_OR_END;
    return true;
}

static const char *scan_step(struct scan *scan)
{
    switch (scan->expect) {
    case EXPECT_VALUE_OR_END:
        return take_end(scan) ? NULL : scan_value(scan);
    case EXPECT_VALUE:
        return scan_value(scan);
    case EXPECT_KEY_OR_END:
        return take_end(scan) ? NULL : scan_key(scan);
    case EXPECT_KEY:
        return scan_key(scan);
    case EXPECT_COMMA_OR_END:
        if (take(scan, ',')) {
            scan->expect = in_object(scan) ? EXPECT_KEY : EXPECT_VALUE;
            return NULL;
        }
        return take_end(scan) ? NULL : "a comma or the end was expected";
    }
    return "a value was expected";
}

const char *json_scan(struct str text, size_t *ret_members)
{
    struct scan scan = {.at = text.ptr, .end = text.ptr + text.len, .expect = EXPECT_VALUE};

    if (!str_is_utf8(text)) {
        return "it is not UTF-8";
    }
    do {
        const char *error = NULL;

        skip_space(&scan);
        error = scan_step(&scan);
        if (error != NULL) {
            return error;
        }
    } while (scan.depth > 0);
    skip_space(&scan);
    if (scan.at < scan.end) {
        return "something follows it";
    }
    *ret_members = scan.members;
    return NULL;
}
