#include "domain/organization.h"

#include <string.h>

#include "base/digest.h"
#include "base/str.h"

#define SLUG_MIN 3
#define SLUG_MAX (ORGANIZATION_SLUG_SIZE - 1)
#define SUFFIX_DIGITS 8
#define ORIGIN_MAX 200

static bool is_slug_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool organization_name_valid(const char *name)
{
    size_t letters = 0;

    for (const char *c = name; *c != '\0'; c++) {
        letters += ((unsigned char)*c & 0xc0) != 0x80 ? 1 : 0;
    }
    return letters >= 1 && letters <= ORGANIZATION_NAME_LETTERS_MAX && str_is_utf8(str_of(name));
}

bool organization_slug_valid(const char *slug)
{
    const size_t len = strlen(slug);

    if (len < SLUG_MIN || len > SLUG_MAX || slug[0] == '-' || slug[len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_slug_letter(slug[i]) && slug[i] != '-') {
            return false;
        }
    }
    return true;
}

static char small(char c)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

    if (c >= 'A' && c <= 'Z') {
        return letters[c - 'A'];
    }
    return c;
}

/* Runs of other characters become one "-", and none stands at an end. */
static size_t slug_of_name(const char *name, char *ret_slug, size_t max)
{
    size_t len = 0;
    bool gap = false;

    for (const char *c = name; *c != '\0' && len < max; c++) {
        const char lower = small(*c);

        if (!is_slug_letter(lower)) {
            gap = len > 0;
            continue;
        }
        if (gap && len + 1 < max) {
            ret_slug[len++] = '-';
        }
        gap = false;
        ret_slug[len++] = lower;
    }
    return len;
}

void organization_slug_make(
    const char *name,
    const struct id *organization_id,
    int attempt,
    char ret_slug[ORGANIZATION_SLUG_SIZE])
{
    char digits[2 * sizeof organization_id->bytes + 1];
    size_t len = slug_of_name(name, ret_slug, SLUG_MAX - SUFFIX_DIGITS - 1);

    if (len < SLUG_MIN) {
        memcpy(ret_slug, "org", SLUG_MIN);
        len = SLUG_MIN;
    }
    if (attempt > 0) {
        hex_format(organization_id->bytes, sizeof organization_id->bytes, digits);
        ret_slug[len++] = '-';
        memcpy(ret_slug + len, digits + sizeof digits - 1 - SUFFIX_DIGITS, SUFFIX_DIGITS);
        len += SUFFIX_DIGITS;
    }
    ret_slug[len] = '\0';
}

static bool is_host_letter(char c)
{
    return is_slug_letter(c) || c == '.' || c == '-';
}

bool organization_origin_valid(const char *origin)
{
    const struct str text = str_of(origin);
    const struct str https = STR("https://");
    const struct str http = STR("http://");
    size_t at = 0;
    size_t start = 0;

    if (text.len > ORIGIN_MAX || (!str_starts(text, https) && !str_starts(text, http))) {
        return false;
    }
    start = str_starts(text, https) ? https.len : http.len;
    for (at = start; at < text.len && is_host_letter(origin[at]); at++) {
    }
    if (at == start) {
        return false;
    }
    if (origin[at] == ':') {
        const size_t port = ++at;

        for (; at < text.len && origin[at] >= '0' && origin[at] <= '9'; at++) {
        }
        return at == text.len && at > port && at - port <= 5;
    }
    return at == text.len;
}

bool organization_country_valid(const char *country)
{
    return strlen(country) == 2 && country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' &&
           country[1] <= 'Z';
}
