#pragma once

/* How everything that can fail says so: a gRPC code, and behind it a reason, a text for people,
 * key-value pairs, field violations and a retry delay, all in the arena of the request.
 *
 *     return status_fail(cx, REASON_CUSTOMER_NOT_FOUND, "customer \"%s\" does not exist", text);
 *
 * Messages: lower case, no full stop, the kind of object and its name in quotes, the reason; "could
 * not" when a retry may help, "cannot" when not. Never a secret, a card detail or SQL. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct ctx;

/* The numbers are those of gRPC. */
enum code {
    CODE_OK = 0,
    CODE_CANCELLED = 1,
    CODE_UNKNOWN = 2,
    CODE_INVALID_ARGUMENT = 3,
    CODE_DEADLINE_EXCEEDED = 4,
    CODE_NOT_FOUND = 5,
    CODE_ALREADY_EXISTS = 6,
    CODE_PERMISSION_DENIED = 7,
    CODE_RESOURCE_EXHAUSTED = 8,
    CODE_FAILED_PRECONDITION = 9,
    CODE_ABORTED = 10,
    CODE_OUT_OF_RANGE = 11,
    CODE_UNIMPLEMENTED = 12,
    CODE_INTERNAL = 13,
    CODE_UNAVAILABLE = 14,
    CODE_DATA_LOSS = 15,
    CODE_UNAUTHENTICATED = 16,
};

enum reason {
    REASON_NONE = 0,
#define REASON(name, code, text) REASON_##name,
#include "base/reasons.def"
#undef REASON
    REASON_COUNT
};

#define ERROR_PAIRS_MAX 8
#define ERROR_VIOLATIONS_MAX 16

struct error_pair {
    const char *key;
    const char *value;
};

struct field_violation {
    const char *field;
    const char *description;
};

struct error {
    enum reason reason;
    const char *message;
    struct error_pair pairs[ERROR_PAIRS_MAX];
    size_t pair_count;
    struct field_violation violations[ERROR_VIOLATIONS_MAX];
    size_t violation_count;
    int64_t retry_ms; /* 0: a retry of the same request cannot help, or nothing is known */
};

struct status {
    enum code code;
    struct error *error; /* NULL exactly when code is CODE_OK */
};

#define STATUS_OK ((struct status){CODE_OK, NULL})

/* Returns early when expr failed. */
#define TRY(expr)                                 \
    do {                                          \
        const struct status try_status_ = (expr); \
        if (try_status_.code != CODE_OK) {        \
            return try_status_;                   \
        }                                         \
    } while (0)

/* A failure in the arena of cx. When even that has no memory, the one static error. */
struct status status_fail(struct ctx *cx, enum reason reason, const char *format, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;

/* The failure with the text of reasons.def. */
struct status status_of(struct ctx *cx, enum reason reason) MUST_CHECK;

/* FIELD_INVALID with one violation; further ones are added with status_violation(). */
struct status status_field(struct ctx *cx, const char *field, const char *format, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;

/* Each adds to a failure and returns it, so that they can be nested; no effect on OK. What does not
 * fit (ERROR_PAIRS_MAX, ERROR_VIOLATIONS_MAX) is left out. The text is copied into the arena. */
struct status
status_pair(struct ctx *cx, struct status status, const char *key, const char *value) MUST_CHECK;
struct status status_violation(
    struct ctx *cx, struct status status, const char *field, const char *description) MUST_CHECK;
struct status status_retry(struct status status, int64_t retry_ms) MUST_CHECK;

/* REASON_NONE for OK. */
enum reason status_reason(struct status status);

/* "" for OK. */
const char *status_message(struct status status);

/* For a failure that is deliberately passed over; logs it at debug level with the words why. */
void status_ignore(struct ctx *cx, struct status status, const char *why);

const char *reason_name(enum reason reason);
enum code reason_code(enum reason reason);
const char *reason_text(enum reason reason);
const char *code_name(enum code code);
