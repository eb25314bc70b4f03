#pragma once

/* Opaque positions in lists and streams: base64url of version, position, hash of the filter and an
 * HMAC bound to the tenant. A token that is forged, of another tenant, or used with another filter
 * fails with PAGE_TOKEN_INVALID (or RESUME_TOKEN_INVALID). */

#include <stdint.h>

#include "base/ctx.h"
#include "base/id.h"
#include "base/status.h"
#include "base/str.h"

struct services;

/* Where the next page begins: after this key. */
struct page_position {
    int64_t number; /* a time or a sequence number */
    struct id id;   /* breaks ties */
};

/* filter: the request's filter fields in any canonical form. "" text = from the start (number 0 and
 * a zero id). */
struct status page_token_read(
    struct ctx *cx,
    struct services *services,
    const char *token,
    struct str filter,
    struct page_position *ret_position) MUST_CHECK;
const char *page_token_write(
    struct ctx *cx,
    struct services *services,
    struct str filter,
    const struct page_position *position);

/* The same for streams: the position is a sequence number of the organisation. */
struct status resume_token_read(
    struct ctx *cx,
    struct services *services,
    const char *token,
    struct str filter,
    int64_t *ret_seq) MUST_CHECK;
const char *
resume_token_write(struct ctx *cx, struct services *services, struct str filter, int64_t seq);
