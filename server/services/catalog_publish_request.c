#include "services/catalog_publish_request.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/digest.h"
#include "http/json.h"

/* The answer of a version with 200 features and 100 prices, and a third more for base64. */
#define BYTES_MAX ((size_t)2 * 1024 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

struct status
publish_request_write(struct ctx *cx, const struct publish_request *request, struct str *ret_text)
{
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_i64(&w, "version", request->number);
    json_put_text(&w, "account_id", request->account_id);
    json_put_text(&w, "org_id", request->org_id);
    json_put_text(&w, "name", request->name);
    json_put_text(&w, "description", request->description);
    json_put_i64(&w, "published_us", request->published_us);
    json_put_bool(&w, "mirror_only", request->mirror_only);
    json_put_text(
        &w, "answer", base64url_text(cx->arena, request->answer.ptr, request->answer.len));
    json_close_object(&w);
    if (buf_failed(&buf)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    *ret_text = str_of(arena_text_n(cx->arena, buf.ptr, buf.len));
    return STATUS_OK;
}

struct status
publish_request_read(struct ctx *cx, struct str text, struct publish_request *ret_request)
{
    AUTO(release_json) struct json *json = NULL;
    const uint8_t *answer = NULL;
    size_t answer_len = 0;
    json_value root = NULL;

    TRY(json_parse(cx, text.ptr, text.len, &json));
    root = json_root(json);
    if (!base64url_parse(cx->arena, str_of(json_text(cx, root, "answer")), &answer, &answer_len)) {
        return status_fail(cx, REASON_INTERNAL, "the request of the intent cannot be read");
    }
    *ret_request = (struct publish_request){
        .number = (int32_t)json_i64(root, "version"),
        .account_id = json_text(cx, root, "account_id"),
        .org_id = json_text(cx, root, "org_id"),
        .name = json_text(cx, root, "name"),
        .description = json_text(cx, root, "description"),
        .published_us = json_i64(root, "published_us"),
        .mirror_only = json_bool(root, "mirror_only"),
        .answer = {(const char *)answer, answer_len},
    };
    return STATUS_OK;
}
