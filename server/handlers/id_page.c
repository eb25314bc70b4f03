#include "handlers/id_page.h"

#include "base/ctx.h"
#include "handlers/page_token.h"
#include "handlers/pb.h"

struct status id_page_read(
    struct ctx *cx,
    struct services *services,
    int32_t page_size,
    const char *token,
    const char *filter,
    struct id_page *ret_page)
{
    struct id_page page = {.filter = str_of(filter)};
    struct page_position position;

    TRY(pb_read_page_size(cx, page_size, ID_PAGE_DEFAULT, ID_PAGE_MAX, &page.size));
    TRY(page_token_read(cx, services, token, page.filter, &position));
    page.fetch = page.size + 1;
    page.start = position.id;
    *ret_page = page;
    return STATUS_OK;
}

size_t id_page_shown(const struct id_page *page, size_t fetched)
{
    return fetched > (size_t)page->size ? (size_t)page->size : fetched;
}

char *id_page_next(
    struct ctx *cx,
    struct services *services,
    const struct id_page *page,
    size_t fetched,
    const struct id *last)
{
    const struct page_position position = {.id = *last};

    if (fetched <= (size_t)page->size) {
        return pb_text("");
    }
    return pb_text(page_token_write(cx, services, page->filter, &position));
}
