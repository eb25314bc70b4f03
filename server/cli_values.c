/* What the verbs are given, and how they show what they found. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/wallclock.h"
#include "cli.h"

#define JSON_BYTES_MAX ((size_t)1024 * 1024) /* the changes of an audit entry have up to half */
#define SPAN_MAX 10000

static const struct {
    char letter;
    int64_t us;
} span_units[] = {
    {'d', US_PER_DAY}, {'h', US_PER_HOUR}, {'m', US_PER_MINUTE}, {'s', US_PER_SECOND}};

static bool parse_span(const char *text, int64_t *ret_us)
{
    const size_t len = strlen(text);
    long long number = 0;

    if (len < 2 || !str_to_i64((struct str){text, len - 1}, &number) || number < 0 ||
        number > SPAN_MAX) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(span_units); i++) {
        if (span_units[i].letter == text[len - 1]) {
            *ret_us = number * span_units[i].us;
            return true;
        }
    }
    return false;
}

bool cli_read_span(const char *option, const char *text, int64_t *ret_us)
{
    if (!parse_span(text, ret_us)) {
        fprintf(stderr, "billingos: %s is a span such as 90m, 24h or 7d\n", option);
        return false;
    }
    return true;
}

const char *cli_span_text(struct cli *cli, int64_t seconds)
{
    size_t unit = 0;

    while (unit + 1 < ARRAY_LEN(span_units) &&
           (seconds == 0 || seconds % (span_units[unit].us / US_PER_SECOND) != 0)) {
        unit++;
    }
    return arena_printf(
        &cli->arena,
        "%" PRId64 "%c",
        seconds / (span_units[unit].us / US_PER_SECOND),
        span_units[unit].letter);
}

void cli_upper(const char *text, char *ret_text, size_t size)
{
    size_t len = 0;

    for (; text[len] != '\0' && len + 1 < size; len++) {
        ret_text[len] = (char)toupper((unsigned char)text[len]);
    }
    ret_text[len] = '\0';
}

bool cli_read_role(const char *text, enum member_role *ret_role)
{
    char upper[16];

    cli_upper(text, upper, sizeof upper);
    if (!member_role_parse(upper, ret_role)) {
        fprintf(stderr, "billingos: --role is owner, admin, developer or viewer\n");
        return false;
    }
    return true;
}

bool cli_read_id(enum id_kind kind, const char *what, const char *text, struct id *ret_id)
{
    if (text == NULL || !id_parse(kind, text, ret_id)) {
        fprintf(stderr, "billingos: the id of %s is needed, %s_...\n", what, id_prefix(kind));
        return false;
    }
    return true;
}

bool cli_mode_parse(const char *text, bool *ret_live)
{
    *ret_live = strcmp(text, "live") == 0;
    return *ret_live || strcmp(text, "test") == 0;
}

const char *cli_shown(struct cli *cli, const char *text)
{
    char *shown = arena_text(&cli->arena, text);

    for (char *c = shown; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c) != 0) {
            *c = '?';
        }
    }
    return shown;
}

void cli_json_open(struct cli_json *json)
{
    buf_init(&json->text, JSON_BYTES_MAX);
    json_begin(&json->writer, &json->text);
    json_open_object(&json->writer, NULL);
}

void cli_json_print(struct cli_json *json)
{
    json_close_object(&json->writer);
    printf("%s\n", buf_cstr(&json->text));
    buf_release(&json->text);
}
