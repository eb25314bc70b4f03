#pragma once

/* The headers that every request of a run carries, in nghttp2's form. */

#include <stddef.h>

#include <nghttp2/nghttp2.h>

#include "options.h"

enum {
    REQUEST_HEAD_MAX = OPTIONS_HEADERS_MAX + 8,
};

/* Borrows the texts of the options. */
struct request_head {
    nghttp2_nv fields[REQUEST_HEAD_MAX];
    size_t len;
    char timeout[16];
};

void request_head_init(struct request_head *head, const struct options *options);
