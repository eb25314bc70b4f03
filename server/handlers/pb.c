#include "handlers/pb.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/wallclock.h"
#include "handlers/map_order.h"
#include "http/json.h"

#define MAP_ENTRIES_MAX 50
#define MAP_KEY_BYTES_MAX 40
#define MAP_VALUE_BYTES_MAX 500
#define MAP_JSON_BYTES_MAX ((size_t)128 * 1024)
#define DURATION_SECONDS_MAX INT64_C(315576000000) /* of google.protobuf.Duration */

char *pb_id(struct ctx *cx, enum id_kind kind, const struct id *id)
{
    return pb_text(id_text(cx->arena, kind, id));
}

Google__Protobuf__Timestamp *pb_time(struct ctx *cx, int64_t time_us)
{
    Google__Protobuf__Timestamp *time = NULL;
    int64_t micros = 0;

    if (time_us == 0) {
        return NULL;
    }
    time = PB_NEW(cx, Google__Protobuf__Timestamp, google__protobuf__timestamp__init);
    micros = ((time_us % US_PER_SECOND) + US_PER_SECOND) % US_PER_SECOND;
    time->seconds = (time_us - micros) / US_PER_SECOND;
    time->nanos = (int32_t)(micros * 1000);
    return time;
}

Google__Protobuf__Duration *pb_duration(struct ctx *cx, int64_t duration_us)
{
    Google__Protobuf__Duration *duration =
        PB_NEW(cx, Google__Protobuf__Duration, google__protobuf__duration__init);

    duration->seconds = duration_us / US_PER_SECOND;
    duration->nanos = (int32_t)((duration_us % US_PER_SECOND) * 1000);
    return duration;
}

Billingos__V1__Money *pb_money(struct ctx *cx, struct money money)
{
    Billingos__V1__Money *message = PB_NEW(cx, Billingos__V1__Money, billingos__v1__money__init);

    message->minor_units = money.minor;
    message->currency_code = arena_text(cx->arena, money.currency);
    return message;
}

struct status pb_read_time(
    struct ctx *cx, const char *field, const Google__Protobuf__Timestamp *time, int64_t *ret_us)
{
    if (time == NULL) {
        *ret_us = 0;
        return STATUS_OK;
    }
    if (time->nanos < 0 || time->nanos > 999999999) {
        return status_field(
            cx, field, "nanos is %" PRId32 ", it must be 0 to 999999999", time->nanos);
    }
    if (time->seconds < TIME_MIN_US / US_PER_SECOND ||
        time->seconds > TIME_MAX_US / US_PER_SECOND) {
        return status_field(cx, field, "the time must lie in the years 1 to 9999");
    }
    *ret_us = time->seconds * US_PER_SECOND + time->nanos / 1000;
    return STATUS_OK;
}

struct status pb_read_duration(
    struct ctx *cx, const char *field, const Google__Protobuf__Duration *duration, int64_t *ret_us)
{
    if (duration == NULL) {
        *ret_us = 0;
        return STATUS_OK;
    }
    if (duration->seconds < 0 || duration->seconds > DURATION_SECONDS_MAX || duration->nanos < 0 ||
        duration->nanos > 999999999) {
        return status_field(cx, field, "the duration must be 0 to 10000 years");
    }
    *ret_us = duration->seconds * US_PER_SECOND + duration->nanos / 1000;
    return STATUS_OK;
}

struct status pb_read_money(
    struct ctx *cx, const char *field, const Billingos__V1__Money *money, struct money *ret_money)
{
    if (money == NULL) {
        return status_field(cx, field, "an amount is required");
    }
    if (!currency_known(money->currency_code)) {
        return status_field(
            cx,
            field,
            "currency_code \"%.8s\" is not a currency of ISO 4217 in upper case",
            money->currency_code);
    }
    *ret_money = (struct money){.minor = money->minor_units};
    memcpy(ret_money->currency, money->currency_code, 3);
    return STATUS_OK;
}

struct status pb_read_id(
    struct ctx *cx, const char *field, enum id_kind kind, const char *text, struct id *ret_id)
{
    if (text[0] == '\0') {
        return status_field(cx, field, "is required");
    }
    if (!id_parse(kind, text, ret_id)) {
        return status_field(
            cx,
            field,
            "\"%.48s\" is not an id of the form %s_ and 26 letters",
            text,
            id_prefix(kind));
    }
    return STATUS_OK;
}

struct status
pb_check_text(struct ctx *cx, const char *field, const char *text, size_t min, size_t max)
{
    const size_t len = strlen(text);

    if (len < min) {
        return status_field(cx, field, min == 1 ? "is required" : "is shorter than %zu bytes", min);
    }
    if (len > max) {
        return status_field(cx, field, "is %zu bytes long, at most %zu are allowed", len, max);
    }
    return STATUS_OK;
}

struct status pb_check_count(struct ctx *cx, const char *field, size_t count, size_t max)
{
    struct status status;

    if (count <= max) {
        return STATUS_OK;
    }
    status = status_fail(
        cx,
        REASON_LIMIT_EXCEEDED,
        "%s has %zu entries, at most %zu are allowed",
        field,
        count,
        max);
    status = status_pair(cx, status, "field", field);
    status = status_pair(cx, status, "count", arena_printf(cx->arena, "%zu", count));
    return status_pair(cx, status, "max", arena_printf(cx->arena, "%zu", max));
}

struct status pb_check_key(struct ctx *cx, const char *field, const char *key)
{
    const size_t len = strlen(key);

    if (len == 0) {
        return status_field(cx, field, "is required");
    }
    for (size_t i = 0; i < len; i++) {
        const char c = key[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (len > 64 || (!letter && (i == 0 || strchr("_.-", c) == NULL))) {
            return status_field(
                cx,
                field,
                "a key has 1 to 64 of a-z, 0-9, \"_\", \".\", \"-\" and starts with a letter or "
                "digit");
        }
    }
    return STATUS_OK;
}

struct status pb_read_page_size(
    struct ctx *cx, int32_t page_size, int32_t fallback, int32_t max, int32_t *ret_size)
{
    if (page_size < 0) {
        return status_field(cx, "page_size", "is %" PRId32 ", it must not be negative", page_size);
    }
    *ret_size = page_size == 0 ? fallback : page_size > max ? max : page_size;
    return STATUS_OK;
}

static struct status check_entry(
    struct ctx *cx,
    const char *field,
    const struct pb_map_limits *limits,
    const struct pb_map_entry *entry)
{
    const size_t key_len = strlen(entry->key);

    if (key_len == 0 || key_len > limits->key_bytes_max) {
        return status_field(cx, field, "a key has 1 to %zu bytes", limits->key_bytes_max);
    }
    if (strlen(entry->value) > limits->value_bytes_max) {
        return status_field(
            cx,
            field,
            "the value of \"%s\" has more than %zu bytes",
            entry->key,
            limits->value_bytes_max);
    }
    return STATUS_OK;
}

struct status pb_read_limited_map(
    struct ctx *cx,
    const char *field,
    const struct pb_map_limits *limits,
    size_t count,
    const void *entries,
    const char **ret_json)
{
    struct pb_map_entry *const *all = entries;
    AUTO_BUF json;
    struct json_writer w;

    buf_init(&json, MAP_JSON_BYTES_MAX);
    if (count > limits->entries_max) {
        return status_field(
            cx, field, "has %zu entries, at most %zu are allowed", count, limits->entries_max);
    }
    map_order_entries(count, entries);
    json_begin(&w, &json);
    json_open_object(&w, NULL);
    for (size_t i = 0; i < count; i++) {
        TRY(check_entry(cx, field, limits, all[i]));
        if (i > 0 && strcmp(all[i - 1]->key, all[i]->key) == 0) {
            return status_field(cx, field, "the key \"%s\" is there twice", all[i]->key);
        }
        json_put_text(&w, all[i]->key, all[i]->value);
    }
    json_close_object(&w);
    if (buf_failed(&json)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    *ret_json = arena_text(cx->arena, buf_cstr(&json));
    return STATUS_OK;
}

struct status pb_read_map(
    struct ctx *cx, const char *field, size_t count, const void *entries, const char **ret_json)
{
    static const struct pb_map_limits metadata = {
        .entries_max = MAP_ENTRIES_MAX,
        .key_bytes_max = MAP_KEY_BYTES_MAX,
        .value_bytes_max = MAP_VALUE_BYTES_MAX,
    };

    return pb_read_limited_map(cx, field, &metadata, count, entries, ret_json);
}

static void json_release(struct json **json)
{
    json_free(*json);
}

void *
pb_map(struct ctx *cx, const char *json, const ProtobufCMessageDescriptor *entry, size_t *ret_count)
{
    AUTO(json_release) struct json *document = NULL;
    struct pb_map_entry **entries = NULL;
    void *cursor = NULL;
    const char *name = NULL;
    json_value value = NULL;
    size_t count = 0;

    *ret_count = 0;
    if (json[0] == '\0' || json_parse(cx, json, strlen(json), &document).code != CODE_OK) {
        return NULL;
    }
    entries = arena_alloc(cx->arena, MAP_ENTRIES_MAX * sizeof(struct pb_map_entry *));
    while (count < MAP_ENTRIES_MAX && json_next(json_root(document), &cursor, &name, &value)) {
        struct pb_map_entry *one = arena_alloc(cx->arena, entry->sizeof_message);

        protobuf_c_message_init(entry, one);
        one->key = arena_text(cx->arena, name);
        one->value = pb_text(json_text(cx, value, ""));
        entries[count++] = one;
    }
    *ret_count = count;
    return count == 0 ? NULL : entries;
}

bool pb_masked(const Google__Protobuf__FieldMask *mask, const char *path)
{
    if (mask == NULL || mask->n_paths == 0) {
        return true;
    }
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (strcmp(mask->paths[i], path) == 0 || strcmp(mask->paths[i], "*") == 0) {
            return true;
        }
    }
    return false;
}

struct status
pb_check_mask(struct ctx *cx, const Google__Protobuf__FieldMask *mask, const char *const *allowed)
{
    for (size_t i = 0; mask != NULL && i < mask->n_paths; i++) {
        bool known = strcmp(mask->paths[i], "*") == 0;

        for (size_t j = 0; allowed[j] != NULL && !known; j++) {
            known = strcmp(mask->paths[i], allowed[j]) == 0;
        }
        if (!known) {
            const char *path = arena_printf(cx->arena, "%.64s", mask->paths[i]);

            return status_pair(
                cx,
                status_violation(
                    cx,
                    status_fail(
                        cx,
                        REASON_UPDATE_MASK_INVALID,
                        "\"%s\" is not a field that can be changed",
                        path),
                    "update_mask",
                    "names a field that cannot be changed"),
                "path",
                path);
        }
    }
    return STATUS_OK;
}
