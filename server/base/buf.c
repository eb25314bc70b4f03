#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"

#define FIRST_BYTES ((size_t)256)

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
    heap_free(buf->ptr);
    *buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->ptr != NULL) {
        buf->ptr[0] = '\0';
    }
}

/* Room for len more bytes and the NUL. After a failure there is never room again: what follows a
 * gap would be misread. */
static bool has_room(struct buf *buf, size_t len)
{
    size_t capacity = buf->capacity == 0 ? FIRST_BYTES : buf->capacity;
    char *grown = NULL;

    if (buf->failed || len > buf->max - buf->len) {
        buf->failed = true;
        return false;
    }
    if (buf->capacity > buf->len + len) {
        return true;
    }
    while (capacity <= buf->len + len) {
        capacity = capacity > buf->max / 2 ? buf->max + 1 : 2 * capacity;
    }
    grown = heap_grow(buf->ptr, capacity);
    if (grown == NULL) {
        buf->failed = true;
        return false;
    }
    buf->ptr = grown;
    buf->capacity = capacity;
    return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!has_room(buf, len)) {
        return;
    }
    if (len > 0) {
        memcpy(buf->ptr + buf->len, bytes, len);
    }
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    int len = 0;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len < 0) {
        buf->failed = true;
    } else if (has_room(buf, (size_t)len)) {
        vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

const char *buf_cstr(const struct buf *buf)
{
    return buf->ptr == NULL ? "" : buf->ptr;
}

struct str buf_str(const struct buf *buf)
{
    return (struct str){buf_cstr(buf), buf->len};
}

bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}
