#pragma once

/* Text or bytes that grow, with a maximum given at birth. Past the maximum, or without memory, the
 * buffer keeps what it has and buf_failed() says so. Always NUL-terminated behind the content.
 * The memory is of the heap; owned, release with buf_release() or AUTO_BUF. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

struct buf {
    char *ptr;
    size_t len;
    size_t capacity;
    size_t max;
    bool failed;
};

#define AUTO_BUF AUTO(buf_release) struct buf

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf);

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* "" when nothing was ever added; valid until the buffer changes. */
const char *buf_cstr(const struct buf *buf);
struct str buf_str(const struct buf *buf);
bool buf_failed(const struct buf *buf);
