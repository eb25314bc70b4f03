#include <inttypes.h>
#include <string.h>

#include "http/json.h"

#define DEPTH_MAX 32

void json_begin(struct json_writer *w, struct buf *buf)
{
    *w = (struct json_writer){.buf = buf};
}

/* The bytes in front that can be copied as they are. */
static size_t plain_len(struct str rest)
{
    size_t len = 0;

    while (len < rest.len) {
        const unsigned char c = (unsigned char)rest.ptr[len];

        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            break;
        }
        len++;
    }
    return len;
}

static void put_special(struct buf *buf, char c)
{
    switch (c) {
    case '"':
        buf_text(buf, "\\\"");
        break;
    case '\\':
        buf_text(buf, "\\\\");
        break;
    case '\n':
        buf_text(buf, "\\n");
        break;
    case '\r':
        buf_text(buf, "\\r");
        break;
    case '\t':
        buf_text(buf, "\\t");
        break;
    default:
        buf_printf(buf, "\\u%04x", (unsigned)(unsigned char)c);
        break;
    }
}

/* The longest well-formed character in front: 1 to 4 bytes, 0 when there is none. */
static size_t character_len(struct str rest)
{
    for (size_t len = 1; len <= 4 && len <= rest.len; len++) {
        if (str_is_utf8((struct str){rest.ptr, len})) {
            return len;
        }
    }
    return 0;
}

/* Text of ours is UTF-8 already; text from elsewhere may not be, and the output must be. */
static void put_broken(struct buf *buf, struct str text)
{
    while (text.len > 0) {
        const size_t len = character_len(text);
        const size_t step = len == 0 ? 1 : len;

        if (len == 0) {
            buf_text(buf, "\\ufffd");
        } else if (plain_len((struct str){text.ptr, len}) == len) {
            buf_add(buf, text.ptr, len);
        } else {
            put_special(buf, text.ptr[0]);
        }
        text.ptr += step;
        text.len -= step;
    }
}

static void put_quoted(struct buf *buf, struct str text)
{
    buf_char(buf, '"');
    if (!str_is_utf8(text)) {
        put_broken(buf, text);
        text.len = 0;
    }
    while (text.len > 0) {
        const size_t len = plain_len(text);

        buf_add(buf, text.ptr, len);
        text.ptr += len;
        text.len -= len;
        if (text.len > 0) {
            put_special(buf, text.ptr[0]);
            text.ptr++;
            text.len--;
        }
    }
    buf_char(buf, '"');
}

static void put_name(struct json_writer *w, const char *name)
{
    if (w->need_comma) {
        buf_char(w->buf, ',');
    }
    if (name != NULL) {
        put_quoted(w->buf, str_of(name));
        buf_char(w->buf, ':');
    }
    w->need_comma = true;
}

static void open_bracket(struct json_writer *w, const char *name, char bracket)
{
    if (w->depth == DEPTH_MAX) {
        w->buf->failed = true;
    }
    put_name(w, name);
    buf_char(w->buf, bracket);
    w->depth++;
    w->need_comma = false;
}

static void close_bracket(struct json_writer *w, char bracket)
{
    buf_char(w->buf, bracket);
    w->depth--;
    w->need_comma = true;
}

void json_open_object(struct json_writer *w, const char *name)
{
    open_bracket(w, name, '{');
}

void json_close_object(struct json_writer *w)
{
    close_bracket(w, '}');
}

void json_open_array(struct json_writer *w, const char *name)
{
    open_bracket(w, name, '[');
}

void json_close_array(struct json_writer *w)
{
    close_bracket(w, ']');
}

void json_put_text(struct json_writer *w, const char *name, const char *text)
{
    put_name(w, name);
    if (text == NULL) {
        buf_text(w->buf, "null");
    } else {
        put_quoted(w->buf, str_of(text));
    }
}

void json_put_i64(struct json_writer *w, const char *name, int64_t value)
{
    put_name(w, name);
    buf_printf(w->buf, "%" PRId64, value);
}

void json_put_bool(struct json_writer *w, const char *name, bool value)
{
    put_name(w, name);
    buf_text(w->buf, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *name)
{
    put_name(w, name);
    buf_text(w->buf, "null");
}

void json_put_raw(struct json_writer *w, const char *name, const char *json_text)
{
    put_name(w, name);
    buf_text(w->buf, json_text);
}
