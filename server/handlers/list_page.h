#pragma once

/* Pages of a list: how many, from where, and the token of the next one. One item more than is shown
 * is fetched; it tells whether there is a next page. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "handlers/page_token.h"

struct ctx;
struct services;

struct list_page {
    int32_t size;
    int32_t fetch;
    struct page_position start; /* zero: from the beginning */
    struct str filter;
};

struct list_sizes {
    int32_t fallback;
    int32_t max;
};

/* filter names the list and everything that narrows it. Fails with FIELD_INVALID,
 * PAGE_TOKEN_INVALID. */
struct status list_page_read(
    struct ctx *cx,
    struct services *services,
    struct list_sizes sizes,
    int32_t page_size,
    const char *token,
    const char *filter,
    struct list_page *ret_page) MUST_CHECK;

/* How many of the fetched items to show. */
size_t list_page_shown(const struct list_page *page, size_t fetched);

/* "" when nothing more was fetched; last is the position of the last item shown. */
char *list_page_next(
    struct ctx *cx,
    struct services *services,
    const struct list_page *page,
    size_t fetched,
    const struct page_position *last);
