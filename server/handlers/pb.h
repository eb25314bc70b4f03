#pragma once

/* Between protobuf-c messages and domain words: what every handler needs. Texts in messages are
 * never NULL. All memory is of the arena of cx. */

#include <billingos/v1/common.pb-c.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/field_mask.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/id.h"
#include "base/money.h"
#include "base/status.h"

/* A new message: PB_NEW(cx, Billingos__V1__Customer, billingos__v1__customer__init). */
#define PB_NEW(cx, type, init_function)                                     \
    __extension__({                                                         \
        __typeof__(type) *pb_new_ = arena_alloc((cx)->arena, sizeof(type)); \
        init_function(pb_new_);                                             \
        pb_new_;                                                            \
    })

/* For the read-only request: const Billingos__V1__GetCustomerRequest *req = PB_REQUEST(...). */
#define PB_REQUEST(type, message) ((const type *)(const void *)(message))

/* A message as the answer of a handler. */
#define PB_ANSWER(message) (&(message)->base)

/* Message text fields are `char *`; our texts are const and live in the arena. */
static inline char *pb_text(const char *text)
{
    return (char *)(uintptr_t)text;
}
char *pb_id(struct ctx *cx, enum id_kind kind, const struct id *id); /* "" for the zero id */

/* NULL for 0, which stands for "absent". */
Google__Protobuf__Timestamp *pb_time(struct ctx *cx, int64_t time_us);
Google__Protobuf__Duration *pb_duration(struct ctx *cx, int64_t duration_us);
Billingos__V1__Money *pb_money(struct ctx *cx, struct money money);

/* Reading: FIELD_INVALID naming the field. Absent (NULL) reads as 0. */
struct status pb_read_time(
    struct ctx *cx, const char *field, const Google__Protobuf__Timestamp *time, int64_t *ret_us)
    MUST_CHECK;
struct status pb_read_duration(
    struct ctx *cx, const char *field, const Google__Protobuf__Duration *duration, int64_t *ret_us)
    MUST_CHECK;
struct status pb_read_money(
    struct ctx *cx, const char *field, const Billingos__V1__Money *money, struct money *ret_money)
    MUST_CHECK;

/* A required id of one kind. An id of another shape cannot exist, so a foreign or garbled one fails
 * with FIELD_INVALID, and the caller learns nothing about what exists. */
struct status pb_read_id(
    struct ctx *cx, const char *field, enum id_kind kind, const char *text, struct id *ret_id)
    MUST_CHECK;

/* Length limits in bytes; UTF-8 was checked by the pre-scan. */
struct status pb_check_text(
    struct ctx *cx, const char *field, const char *text, size_t min, size_t max) MUST_CHECK;

/* LIMIT_EXCEEDED when a list has more items than the method accepts. */
struct status
pb_check_count(struct ctx *cx, const char *field, size_t count, size_t max) MUST_CHECK;

/* Keys of the merchant: ^[a-z0-9][a-z0-9_.-]{0,63}$ */
struct status pb_check_key(struct ctx *cx, const char *field, const char *key) MUST_CHECK;

/* page_size: 0 = fallback, above max = max, negative = FIELD_INVALID. */
struct status pb_read_page_size(
    struct ctx *cx, int32_t page_size, int32_t fallback, int32_t max, int32_t *ret_size) MUST_CHECK;

/* Metadata maps: at most 50 entries, keys 1..40 bytes, values up to 500 bytes, as a JSON object of
 * texts, ordered by key, and back. Map entries of protobuf-c all share the shape {base, key,
 * value}; pass the array. */
struct pb_map_entry {
    ProtobufCMessage base;
    char *key;
    char *value;
};
struct status pb_read_map(
    struct ctx *cx, const char *field, size_t count, const void *entries, const char **ret_json)
    MUST_CHECK;

/* The same with limits of its own, for maps that are not metadata. */
struct pb_map_limits {
    size_t entries_max;
    size_t key_bytes_max;
    size_t value_bytes_max;
};
struct status pb_read_limited_map(
    struct ctx *cx,
    const char *field,
    const struct pb_map_limits *limits,
    size_t count,
    const void *entries,
    const char **ret_json) MUST_CHECK;

/* JSON object of texts -> entries made with the given init function and size. */
void *pb_map(
    struct ctx *cx, const char *json, const ProtobufCMessageDescriptor *entry, size_t *ret_count);

/* True when the mask (NULL = every populated field) names the path. */
bool pb_masked(const Google__Protobuf__FieldMask *mask, const char *path);
/* UPDATE_MASK_INVALID for a path that is not in the NULL-terminated list. */
struct status pb_check_mask(
    struct ctx *cx, const Google__Protobuf__FieldMask *mask, const char *const *allowed) MUST_CHECK;
