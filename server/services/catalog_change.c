#include "services/catalog_change.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "domain/event.h"
#include "http/json.h"
#include "store/event_log.h"

#define PAYLOAD_BYTES_MAX 1024

struct status catalog_keys_changed(struct ctx *cx, struct tx *tx, const char *kind, const char *key)
{
    struct event event = {.type = EVENT_CATALOG_CHANGED};
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, PAYLOAD_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "kind", kind);
    json_put_text(&w, "key", key);
    json_close_object(&w);
    event.payload = arena_text(cx->arena, buf_cstr(&buf));
    return event_log_add(cx, tx, &event);
}

struct status catalog_check_count(struct ctx *cx, const char *kind, int64_t count, int64_t max)
{
    if (count < max) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(
            cx,
            status_fail(
                cx,
                REASON_OBJECT_LIMIT_REACHED,
                "there are %" PRId64 " %s already, which is as many as there may be",
                count,
                kind),
            "kind",
            kind),
        "max",
        catalog_number(cx, max));
}

const char *catalog_number(struct ctx *cx, int64_t number)
{
    return arena_printf(cx->arena, "%" PRId64, number);
}

const char *catalog_list(struct ctx *cx, const char *const *texts, size_t count)
{
    const char *list = "";

    for (size_t i = 0; i < count; i++) {
        list = arena_printf(cx->arena, "%s%s%s", list, i == 0 ? "" : ", ", texts[i]);
    }
    return list;
}
