#include "request_head.h"

#include <stdio.h>
#include <string.h>

static void head_add(struct request_head *head, const char *name, const char *value)
{
    head->fields[head->len++] = (nghttp2_nv){
        .name = (uint8_t *)name,
        .namelen = strlen(name),
        .value = (uint8_t *)value,
        .valuelen = strlen(value),
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
    };
}

void request_head_init(struct request_head *head, const struct options *options)
{
    head->len = 0;
    head_add(head, ":method", "POST");
    head_add(head, ":scheme", "http");
    head_add(head, ":path", options->path);
    head_add(head, ":authority", options->authority);
    head_add(head, "content-type", "application/grpc");
    head_add(head, "te", "trailers");
    head_add(head, "user-agent", "bos-load");
    if (options->timeout_ms > 0) {
        snprintf(head->timeout, sizeof head->timeout, "%um", options->timeout_ms);
        head_add(head, "grpc-timeout", head->timeout);
    }
    for (unsigned i = 0; i < options->headers_len; i++) {
        head_add(head, options->headers[i].name, options->headers[i].value);
    }
}
