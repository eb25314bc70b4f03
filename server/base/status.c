#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/ctx.h"
#include "base/log.h"

static const struct {
    const char *name;
    enum code code;
    const char *text;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = {"NONE", CODE_OK, ""},
#define REASON(name, code, text) [REASON_##name] = {#name, CODE_##code, text},
#include "base/reasons.def"
#undef REASON
};

/* What is left to say without memory. Shared by all threads, therefore never written. */
static struct error no_memory = {
    .reason = REASON_REQUEST_TOO_COSTLY,
    .message = "the request needs more memory than one may use",
};

static const struct status failed_for_memory = {CODE_RESOURCE_EXHAUSTED, &no_memory};

static bool can_grow(struct status status)
{
    return status.code != CODE_OK && status.error != &no_memory;
}

static struct error *new_error(struct ctx *cx, enum reason reason)
{
    struct error *error = arena_try_alloc(cx->arena, sizeof *error);

    if (error != NULL) {
        error->reason = reason;
        error->message = reasons[reason].text;
    }
    return error;
}

/* A copy that is never the arena's scratch memory: that is written again by the next one. */
static const char *copied(struct ctx *cx, const char *text)
{
    const char *copy = arena_text(cx->arena, text);

    return arena_failed(cx->arena) ? NULL : copy;
}

struct status status_fail(struct ctx *cx, enum reason reason, const char *format, ...)
{
    struct error *error = new_error(cx, reason);
    va_list args;

    if (error == NULL) {
        return failed_for_memory;
    }
    va_start(args, format);
    error->message = arena_vprintf(cx->arena, format, args);
    va_end(args);
    if (arena_failed(cx->arena)) {
        return failed_for_memory;
    }
    return (struct status){reasons[reason].code, error};
}

struct status status_of(struct ctx *cx, enum reason reason)
{
    struct error *error = new_error(cx, reason);

    return error == NULL ? failed_for_memory : (struct status){reasons[reason].code, error};
}

struct status status_field(struct ctx *cx, const char *field, const char *format, ...)
{
    va_list args;
    const char *description = NULL;

    va_start(args, format);
    description = arena_vprintf(cx->arena, format, args);
    va_end(args);
    if (arena_failed(cx->arena)) {
        return failed_for_memory;
    }
    return status_violation(
        cx,
        status_fail(cx, REASON_FIELD_INVALID, "%s: %s", field, description),
        field,
        description);
}

struct status status_pair(struct ctx *cx, struct status status, const char *key, const char *value)
{
    const struct error_pair pair = {
        can_grow(status) ? copied(cx, key) : NULL,
        can_grow(status) ? copied(cx, value) : NULL,
    };

    if (pair.key != NULL && pair.value != NULL && status.error->pair_count < ERROR_PAIRS_MAX) {
        status.error->pairs[status.error->pair_count++] = pair;
    }
    return status;
}

struct status
status_violation(struct ctx *cx, struct status status, const char *field, const char *description)
{
    const struct field_violation violation = {
        can_grow(status) ? copied(cx, field) : NULL,
        can_grow(status) ? copied(cx, description) : NULL,
    };

    if (violation.field != NULL && violation.description != NULL &&
        status.error->violation_count < ERROR_VIOLATIONS_MAX) {
        status.error->violations[status.error->violation_count++] = violation;
    }
    return status;
}

struct status status_retry(struct status status, int64_t retry_ms)
{
    if (can_grow(status)) {
        status.error->retry_ms = retry_ms;
    }
    return status;
}

enum reason status_reason(struct status status)
{
    return status.error == NULL ? REASON_NONE : status.error->reason;
}

const char *status_message(struct status status)
{
    return status.error == NULL ? "" : status.error->message;
}

void status_ignore(struct ctx *cx, struct status status, const char *why)
{
    char text[160];

    if (status.code == CODE_OK || !log_enabled(LOG_LEVEL_DEBUG)) {
        return;
    }
    snprintf(text, sizeof text, "%s, ignoring", why);
    log_debug(cx, text, LOG_STATUS(status));
}

const char *reason_name(enum reason reason)
{
    return reasons[reason].name;
}

enum code reason_code(enum reason reason)
{
    return reasons[reason].code;
}

const char *reason_text(enum reason reason)
{
    return reasons[reason].text;
}

const char *code_name(enum code code)
{
    static const char *const names[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };

    return (size_t)code < ARRAY_LEN(names) ? names[code] : "UNKNOWN";
}
