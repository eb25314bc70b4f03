#include "services/intent_failure.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"

#define FAILURE_BYTES_MAX ((size_t)16 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

const char *intent_failure_write(struct ctx *cx, struct status failure)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, FAILURE_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "reason", reason_name(status_reason(failure)));
    json_put_text(&writer, "message", status_message(failure));
    json_open_object(&writer, "pairs");
    for (size_t i = 0; failure.error != NULL && i < failure.error->pair_count; i++) {
        json_put_text(&writer, failure.error->pairs[i].key, failure.error->pairs[i].value);
    }
    json_close_object(&writer);
    json_close_object(&writer);
    return buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
}

static enum reason reason_of(const char *name)
{
    for (enum reason reason = REASON_NONE + 1; reason < REASON_COUNT; reason++) {
        if (strcmp(reason_name(reason), name) == 0) {
            return reason;
        }
    }
    return REASON_INTERNAL;
}

struct status intent_failure_read(struct ctx *cx, const char *json)
{
    AUTO(release_json) struct json *document = NULL;
    struct status status;
    json_value root = NULL;
    json_value value = NULL;
    const char *name = NULL;
    void *cursor = NULL;

    TRY(json_parse(cx, json, strlen(json), &document));
    root = json_root(document);
    status = status_fail(
        cx, reason_of(json_text(cx, root, "reason")), "%s", json_text(cx, root, "message"));
    while (json_next(json_get(root, "pairs"), &cursor, &name, &value)) {
        status = status_pair(cx, status, arena_text(cx->arena, name), json_text(cx, value, ""));
    }
    return status;
}
