#include "domain/field_check.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/money.h"

#define KEY_BYTES_MAX 64

void field_note(struct ctx *cx, struct status *result, struct status one)
{
    if (one.code == CODE_OK) {
        return;
    }
    if (result->code == CODE_OK) {
        *result = one;
        return;
    }
    if (status_reason(*result) != REASON_FIELD_INVALID) {
        return;
    }
    if (status_reason(one) != REASON_FIELD_INVALID) {
        *result = one;
        return;
    }
    for (size_t i = 0; i < one.error->violation_count; i++) {
        *result = status_violation(
            cx, *result, one.error->violations[i].field, one.error->violations[i].description);
    }
}

const char *field_path(struct ctx *cx, const char *path, const char *name)
{
    return path[0] == '\0' ? name : arena_printf(cx->arena, "%s.%s", path, name);
}

const char *field_item(struct ctx *cx, const char *path, size_t index)
{
    return arena_printf(cx->arena, "%s[%zu]", path, index);
}

/* Bytes 10xxxxxx go on with a letter. */
static size_t letters_of(const char *text)
{
    size_t letters = 0;

    for (const char *c = text; *c != '\0'; c++) {
        letters += ((unsigned char)*c & 0xc0) != 0x80 ? 1 : 0;
    }
    return letters;
}

struct status
field_check_text(struct ctx *cx, const char *field, const char *text, size_t min, size_t max)
{
    const size_t letters = letters_of(text);

    if (letters < min) {
        return min == 1 ? status_field(cx, field, "is required")
                        : status_field(cx, field, "is shorter than %zu characters", min);
    }
    if (letters > max) {
        return status_field(cx, field, "has %zu characters, at most %zu are allowed", letters, max);
    }
    return STATUS_OK;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

struct status field_check_key(struct ctx *cx, const char *field, const char *key)
{
    const size_t len = strlen(key);
    bool valid = len <= KEY_BYTES_MAX;

    if (len == 0) {
        return status_field(cx, field, "is required");
    }
    for (size_t i = 0; valid && i < len; i++) {
        const bool joint = i > 0 && (key[i] == '_' || key[i] == '.' || key[i] == '-');

        valid = is_alphanumeric(key[i]) || joint;
    }
    if (valid) {
        return STATUS_OK;
    }
    return status_field(
        cx,
        field,
        "a key has 1 to %d of a-z, 0-9, \"_\", \".\", \"-\" and starts with a letter or digit",
        KEY_BYTES_MAX);
}

struct status
field_check_range(struct ctx *cx, const char *field, int64_t value, int64_t min, int64_t max)
{
    if (value >= min && value <= max) {
        return STATUS_OK;
    }
    if (max == INT64_MAX) {
        return status_field(
            cx, field, "is %" PRId64 ", it must be %" PRId64 " or more", value, min);
    }
    return status_field(
        cx, field, "is %" PRId64 ", it must be %" PRId64 " to %" PRId64, value, min, max);
}

struct status field_check_texts(
    struct ctx *cx,
    const char *field,
    const char *const *texts,
    size_t count,
    size_t count_max,
    size_t letters_max)
{
    if (count > count_max) {
        return status_field(
            cx, field, "has %zu entries, at most %zu are allowed", count, count_max);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(field_check_text(cx, field_item(cx, field, i), texts[i], 1, letters_max));
        for (size_t j = 0; j < i; j++) {
            if (strcmp(texts[i], texts[j]) == 0) {
                return status_field(cx, field_item(cx, field, i), "is the same as entry %zu", j);
            }
        }
    }
    return STATUS_OK;
}

struct status field_check_currency(struct ctx *cx, const char *field, const char *currency)
{
    if (currency_known(currency)) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_violation(
            cx,
            status_fail(
                cx,
                REASON_CURRENCY_UNKNOWN,
                "currency \"%.8s\" is not one of ISO 4217 in upper case",
                currency),
            field,
            "is not a currency of ISO 4217 in upper case"),
        "currency_code",
        currency);
}

struct status field_check_etag(struct ctx *cx, const char *etag, int64_t version)
{
    const char *current = arena_printf(cx->arena, "%" PRId64, version);

    if (etag[0] == '\0' || strcmp(etag, current) == 0) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(cx, status_of(cx, REASON_ETAG_MISMATCH), "etag", etag),
        "current_etag",
        current);
}
