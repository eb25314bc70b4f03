#include "sandbox/list.h"

#include <string.h>

#include "http/http_server.h"
#include "sandbox/account.h"
#include "sandbox/call.h"
#include "sandbox/render.h"

#define LIMIT_DEFAULT 10
#define LIMIT_MAX 100

struct page {
    const struct object *items[LIMIT_MAX];
    size_t count;
    bool has_more;
};

static bool wanted(const struct call *call, const struct object *object, list_match_fn match)
{
    return !object->deleted && (match == NULL || match(call, object));
}

/* From the newest below `before` downwards. */
static void collect_older(
    const struct call *call,
    const struct object_list *list,
    list_match_fn match,
    size_t limit,
    size_t before,
    struct page *page)
{
    for (size_t i = before; i > 0; i--) {
        if (!wanted(call, list->items[i - 1], match)) {
            continue;
        }
        if (page->count == limit) {
            page->has_more = true;
            return;
        }
        page->items[page->count++] = list->items[i - 1];
    }
}

/* The ones directly above the cursor, still newest first. */
static void collect_newer(
    const struct call *call,
    const struct object_list *list,
    list_match_fn match,
    size_t limit,
    size_t after,
    struct page *page)
{
    for (size_t i = after + 1; i < list->count; i++) {
        if (!wanted(call, list->items[i], match)) {
            continue;
        }
        if (page->count == limit) {
            page->has_more = true;
            break;
        }
        page->items[page->count++] = list->items[i];
    }
    for (size_t i = 0; i < page->count / 2; i++) {
        const struct object *other = page->items[i];

        page->items[i] = page->items[page->count - 1 - i];
        page->items[page->count - 1 - i] = other;
    }
}

/* The position of the object that a cursor names. */
static bool
find_cursor(struct call *call, enum object_kind kind, const char *param, size_t *ret_position)
{
    const struct object *object =
        object_find(call->sim, call->account, kind, call_text(call, param));

    if (object == NULL) {
        return call_fail_missing(call, kind, call_text(call, param), param);
    }
    *ret_position = object->position;
    return true;
}

static bool
collect(struct call *call, enum object_kind kind, list_match_fn match, struct page *page)
{
    const struct object_list *list = &call->account->lists[kind];
    const int64_t limit = call_i64(call, "limit", LIMIT_DEFAULT);
    size_t cursor = list->count;

    if (limit < 1 || limit > LIMIT_MAX) {
        return call_fail(
            call,
            400,
            "parameter_invalid_integer",
            "limit",
            "This value must be between 1 and %d (it currently is '%lld').",
            LIMIT_MAX,
            (long long)limit);
    }
    if (call_text(call, "ending_before") != NULL) {
        if (call_text(call, "starting_after") != NULL) {
            return call_fail(
                call,
                400,
                NULL,
                "ending_before",
                "You cannot parameterize both starting_after and ending_before.");
        }
        if (!find_cursor(call, kind, "ending_before", &cursor)) {
            return false;
        }
        collect_newer(call, list, match, (size_t)limit, cursor, page);
        return true;
    }
    if (call_text(call, "starting_after") != NULL &&
        !find_cursor(call, kind, "starting_after", &cursor)) {
        return false;
    }
    collect_older(call, list, match, (size_t)limit, cursor, page);
    return true;
}

bool list_reply(struct call *call, enum object_kind kind, list_match_fn match)
{
    struct page page = {.count = 0};
    struct render render;

    if (!collect(call, kind, match, &page)) {
        return false;
    }
    buf_clear(&call->body);
    render_begin(&render, call->sim, &call->body, &call->expand);
    render_list_open(&render, NULL);
    for (size_t i = 0; i < page.count; i++) {
        render_object(&render, NULL, page.items[i]);
    }
    render_list_close(&render, page.has_more, call->http->path);
    call->status = 200;
    return true;
}

bool list_time_matches(const struct call *call, const char *param, int64_t time_s)
{
    static const char *const bounds[] = {"", "[gt]", "[gte]", "[lt]", "[lte]"};

    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        char key[80];
        int64_t bound = 0;
        bool passes = false;

        snprintf(key, sizeof key, "%s%s", param, bounds[i]);
        if (call_text(call, key) == NULL) {
            continue;
        }
        bound = call_i64(call, key, 0);
        passes = (i == 0 && time_s == bound) || (i == 1 && time_s > bound) ||
                 (i == 2 && time_s >= bound) || (i == 3 && time_s < bound) ||
                 (i == 4 && time_s <= bound);
        if (time_s == 0 || !passes) {
            return false;
        }
    }
    return true;
}

bool list_text_matches(const struct call *call, const char *param, const char *text)
{
    const char *asked = call_text(call, param);

    return asked == NULL || (text != NULL && strcmp(asked, text) == 0);
}

bool list_ref_matches(const struct call *call, const char *param, const void *object)
{
    return list_text_matches(
        call, param, object == NULL ? NULL : ((const struct object *)object)->id);
}

bool list_bool_matches(const struct call *call, const char *param, bool value)
{
    return call_bool(call, param, value) == value;
}
