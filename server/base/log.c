#include "base/log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/str.h"
#include "base/wallclock.h"

/* A write of up to 4096 bytes to a pipe is not mixed with those of others (PIPE_BUF on Linux). */
#define LINE_BYTES 4096
#define TAIL_BYTES 32    /* kept free for ", truncated" and the end of the line */
#define VALUE_BYTES 1024 /* of a text value; the rest is left out */

struct line {
    char bytes[LINE_BYTES];
    size_t len;
    bool json;
    bool full;
};

static _Atomic int configured_level = LOG_LEVEL_INFO;
static _Atomic int configured_format = LOG_FORMAT_LOGFMT;

void log_configure(enum log_level level, enum log_format format)
{
    atomic_store(&configured_level, level);
    atomic_store(&configured_format, format);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&configured_level, memory_order_relaxed);
}

static void put(struct line *line, const char *bytes, size_t len)
{
    if (line->full || len > LINE_BYTES - TAIL_BYTES - line->len) {
        line->full = true;
        return;
    }
    memcpy(line->bytes + line->len, bytes, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* One character, or one byte that is none: both formats use JSON's escapes inside quotes, so that a
 * value can never end the line or its quotes. Returns how many bytes of the text it covers. */
static size_t put_escaped(struct line *line, const char *text, size_t len)
{
    const unsigned char c = (unsigned char)text[0];
    char escape[8];

    if (c == '"' || c == '\\') {
        escape[0] = '\\';
        escape[1] = (char)c;
        put(line, escape, 2);
    } else if (c == '\n') {
        put_text(line, "\\n");
    } else if (c == '\t') {
        put_text(line, "\\t");
    } else if (c < 0x20 || c == 0x7f) {
        snprintf(escape, sizeof escape, "\\u%04x", c);
        put_text(line, escape);
    } else if (c < 0x80) {
        put(line, text, 1);
    } else {
        for (size_t count = 2; count <= 4 && count <= len; count++) {
            if (str_is_utf8((struct str){text, count})) {
                put(line, text, count);
                return count;
            }
        }
        put_text(line, "\\ufffd");
    }
    return 1;
}

static void put_quoted(struct line *line, const char *text)
{
    const size_t len = strnlen(text, VALUE_BYTES);
    size_t at = 0;

    put_text(line, "\"");
    while (at < len) {
        at += put_escaped(line, text + at, len - at);
    }
    put_text(line, "\"");
}

static bool is_bare(const char *text)
{
    const size_t len = strnlen(text, VALUE_BYTES + 1);

    for (size_t i = 0; i < len; i++) {
        const char c = text[i];

        if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=') {
            return false;
        }
    }
    return len > 0 && len <= VALUE_BYTES;
}

static void put_name(struct line *line, const char *name)
{
    if (line->json) {
        put_text(line, line->len == 1 ? "\"" : ",\"");
        put_text(line, name);
        put_text(line, "\":");
    } else {
        put_text(line, line->len == 0 ? "" : " ");
        put_text(line, name);
        put_text(line, "=");
    }
}

/* A field that does not fit is left out whole. */
static void put_field(struct line *line, const char *name, const char *text)
{
    const size_t before = line->len;

    put_name(line, name);
    if (!line->json && is_bare(text)) {
        put_text(line, text);
    } else {
        put_quoted(line, text);
    }
    if (line->full) {
        line->len = before;
    }
}

static void put_integer(struct line *line, const char *name, int64_t value)
{
    const size_t before = line->len;
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRId64, value);
    put_name(line, name);
    put_text(line, digits);
    if (line->full) {
        line->len = before;
    }
}

static void put_id(struct line *line, const char *name, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_SIZE] = "";

    if (!id_is_zero(id)) {
        id_format(kind, id, text);
    }
    put_field(line, name, text);
}

static void put_status(struct line *line, struct status status)
{
    put_field(line, "code", code_name(status.code));
    if (status.error != NULL) {
        put_field(line, "reason", reason_name(status.error->reason));
        put_field(line, "error", status.error->message);
    }
}

static void put_context(struct line *line, const struct ctx *cx)
{
    if (cx->request_id != NULL && cx->request_id[0] != '\0') {
        put_field(line, "request_id", cx->request_id);
    }
    if (cx->method != NULL && cx->method[0] != '\0') {
        put_field(line, "method", cx->method);
    }
    if (!id_is_zero(&cx->caller.org)) {
        put_id(line, "org", ID_ORGANIZATION, &cx->caller.org);
        put_field(line, "mode", cx->caller.live ? "live" : "test");
    }
}

static void put_value(struct line *line, const struct log_field *field)
{
    switch (field->type) {
    case LOG_FIELD_TEXT:
        put_field(line, field->name, field->value.text == NULL ? "" : field->value.text);
        break;
    case LOG_FIELD_INTEGER:
        put_integer(line, field->name, field->value.integer);
        break;
    case LOG_FIELD_ID:
        put_id(line, field->name, field->value.id.kind, &field->value.id.id);
        break;
    case LOG_FIELD_STATUS:
        put_status(line, field->value.status);
        break;
    }
}

static void end_line(struct line *line)
{
    const char *end = line->json ? "}\n" : "\n";

    if (line->full) {
        end = line->json ? ",\"truncated\":true}\n" : " truncated=true\n";
    }
    memcpy(line->bytes + line->len, end, strlen(end));
    line->len += strlen(end);
}

void log_write(
    enum log_level level,
    const struct ctx *cx,
    const char *text,
    const struct log_field *fields,
    size_t field_count)
{
    static const char *const level_names[] = {"debug", "info", "warn", "error"};
    char time[RFC3339_SIZE];
    struct line line;
    ssize_t written = 0;

    line.len = 0;
    line.full = false;
    line.json = atomic_load_explicit(&configured_format, memory_order_relaxed) == LOG_FORMAT_JSON;
    if (line.json) {
        put_text(&line, "{");
    }
    wallclock_format(wallclock_us(), time);
    put_field(&line, "time", time);
    put_field(&line, "level", level_names[level]);
    put_field(&line, "msg", text);
    if (cx != NULL) {
        put_context(&line, cx);
    }
    for (size_t i = 0; i < field_count; i++) {
        put_value(&line, &fields[i]);
    }
    end_line(&line);
    written = write(STDERR_FILENO, line.bytes, line.len);
    (void)written; /* whoever reads the log is gone: there is nobody to tell */
}
