#include "services/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "http/json.h"

#define SNAPSHOT_BYTES_MAX ((size_t)256 * 1024)

static void
put(struct ctx *cx,
    struct json_writer *writer,
    const struct snapshot_member *member,
    const void *place)
{
    switch (member->type) {
    case SNAPSHOT_TEXT:
        json_put_text(writer, member->name, *(const char *const *)place);
        break;
    case SNAPSHOT_NUMBER:
        json_put_i64(writer, member->name, *(const int64_t *)place);
        break;
    case SNAPSHOT_FLAG:
        json_put_bool(writer, member->name, *(const bool *)place);
        break;
    case SNAPSHOT_WORD:
        json_put_i64(writer, member->name, *(const unsigned *)place);
        break;
    case SNAPSHOT_ID:
        json_put_text(writer, member->name, id_text(cx->arena, member->kind, place));
        break;
    }
}

struct str snapshot_write(
    struct ctx *cx, const struct snapshot_member *members, size_t count, const void *object)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, SNAPSHOT_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    for (size_t i = 0; i < count; i++) {
        put(cx, &writer, &members[i], (const char *)object + members[i].offset);
    }
    json_close_object(&writer);
    return str_of(buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf)));
}

static void release_json(struct json **json)
{
    json_free(*json);
}

static void take(struct ctx *cx, json_value root, const struct snapshot_member *member, void *place)
{
    switch (member->type) {
    case SNAPSHOT_TEXT:
        *(const char **)place = json_text(cx, root, member->name);
        break;
    case SNAPSHOT_NUMBER:
        *(int64_t *)place = json_i64(root, member->name);
        break;
    case SNAPSHOT_FLAG:
        *(bool *)place = json_bool(root, member->name);
        break;
    case SNAPSHOT_WORD:
        *(unsigned *)place = (unsigned)json_i64(root, member->name);
        break;
    case SNAPSHOT_ID:
        (void)id_parse(member->kind, json_text(cx, root, member->name), place);
        break;
    }
}

struct status snapshot_read(
    struct ctx *cx,
    struct str text,
    const struct snapshot_member *members,
    size_t count,
    void *ret_object)
{
    AUTO(release_json) struct json *document = NULL;

    TRY(json_parse(cx, text.ptr, text.len, &document));
    for (size_t i = 0; i < count; i++) {
        take(cx, json_root(document), &members[i], (char *)ret_object + members[i].offset);
    }
    return STATUS_OK;
}
