#include "handlers/list_page.h"

#include "base/ctx.h"
#include "handlers/pb.h"

struct status list_page_read(
    struct ctx *cx,
    struct services *services,
    struct list_sizes sizes,
    int32_t page_size,
    const char *token,
    const char *filter,
    struct list_page *ret_page)
{
    struct list_page page = {.filter = str_of(filter)};

    TRY(pb_read_page_size(cx, page_size, sizes.fallback, sizes.max, &page.size));
    TRY(page_token_read(cx, services, token, page.filter, &page.start));
    page.fetch = page.size + 1;
    *ret_page = page;
    return STATUS_OK;
}

size_t list_page_shown(const struct list_page *page, size_t fetched)
{
    return fetched > (size_t)page->size ? (size_t)page->size : fetched;
}

char *list_page_next(
    struct ctx *cx,
    struct services *services,
    const struct list_page *page,
    size_t fetched,
    const struct page_position *last)
{
    if (fetched <= (size_t)page->size) {
        return pb_text("");
    }
    return pb_text(page_token_write(cx, services, page->filter, last));
}
