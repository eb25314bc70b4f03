#pragma once

/* One line per thing worth knowing, on standard error, as logfmt or as JSON. The text is constant,
 * values are fields; request id, organisation and method come from cx (which may be NULL). Fields
 * are chosen one by one: no field ever holds a key, a token, a payload or a personal datum.
 *
 *     log_info(cx, "subscription activated", LOG_ID("subscription", ID_SUBSCRIPTION, &id));
 *
 * base, domain, store, stripe, http and rpc log at debug only, except where the process itself is
 * in trouble; services log decisions; handlers, web and jobs one line per request, event or run.
 * Thread-safe; a line is one write(2). */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"

struct ctx;

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR
};
enum log_format {
    LOG_FORMAT_LOGFMT,
    LOG_FORMAT_JSON
};

enum log_field_type {
    LOG_FIELD_TEXT,
    LOG_FIELD_INTEGER,
    LOG_FIELD_ID,
    LOG_FIELD_STATUS
};

struct log_field {
    const char *name;
    enum log_field_type type;
    union {
        const char *text;
        int64_t integer;
        struct {
            enum id_kind kind;
            struct id id;
        } id;
        struct status status;
    } value;
};

#define LOG_TEXT(n, v) ((struct log_field){.name = (n), .type = LOG_FIELD_TEXT, .value.text = (v)})
#define LOG_I64(n, v) \
    ((struct log_field){.name = (n), .type = LOG_FIELD_INTEGER, .value.integer = (int64_t)(v)})
#define LOG_ID(n, k, p) \
    ((struct log_field){.name = (n), .type = LOG_FIELD_ID, .value.id = {(k), *(p)}})
/* Writes code, reason and error text. */
#define LOG_STATUS(s) \
    ((struct log_field){.name = "", .type = LOG_FIELD_STATUS, .value.status = (s)})

void log_configure(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);

void log_write(
    enum log_level level,
    const struct ctx *cx,
    const char *text,
    const struct log_field *fields,
    size_t field_count);

/* The fields of one line; the last element only makes the list non-empty. */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.name = NULL}})

/* An expression, so that a line costs no level of nesting where it stands. */
#define LOG_AT(level, cx, text, ...) \
    ((void)(log_enabled(level) && (log_write((level), (cx), (text), LOG_FIELDS(__VA_ARGS__), ARRAY_LEN(LOG_FIELDS(__VA_ARGS__)) - 1), true)))

#define log_debug(cx, text, ...) LOG_AT(LOG_LEVEL_DEBUG, cx, text __VA_OPT__(, ) __VA_ARGS__)
#define log_info(cx, text, ...) LOG_AT(LOG_LEVEL_INFO, cx, text __VA_OPT__(, ) __VA_ARGS__)
#define log_warn(cx, text, ...) LOG_AT(LOG_LEVEL_WARN, cx, text __VA_OPT__(, ) __VA_ARGS__)
#define log_error(cx, text, ...) LOG_AT(LOG_LEVEL_ERROR, cx, text __VA_OPT__(, ) __VA_ARGS__)
