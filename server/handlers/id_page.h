#pragma once

/* Pages of lists that are ordered by, or continued from, the id of the last item shown. Ids sort by
 * time, so "before this id" is "older than this". */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "base/str.h"

struct ctx;
struct services;

#define ID_PAGE_DEFAULT 50
#define ID_PAGE_MAX 200

struct id_page {
    int32_t size;
    int32_t fetch;   /* one more than size: it tells whether there is a next page */
    struct id start; /* zero: from the beginning */
    struct str filter;
};

/* filter names the list and everything that narrows it. Fails with FIELD_INVALID,
 * PAGE_TOKEN_INVALID. */
struct status id_page_read(
    struct ctx *cx,
    struct services *services,
    int32_t page_size,
    const char *token,
    const char *filter,
    struct id_page *ret_page) MUST_CHECK;

/* How many of the fetched items to show. */
size_t id_page_shown(const struct id_page *page, size_t fetched);

/* "" when nothing more was fetched; last is the last item shown. */
char *id_page_next(
    struct ctx *cx,
    struct services *services,
    const struct id_page *page,
    size_t fetched,
    const struct id *last);
