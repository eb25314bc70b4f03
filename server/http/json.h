#pragma once

/* Reading and writing JSON with json-c, behind words of our own. A value is borrowed from its
 * document. Reading never fails loudly: an absent or differently typed member reads as the default,
 * so that a new version of a foreign object is not an error. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ctx.h"
#include "base/status.h"
#include "base/str.h"

struct json;        /* a document, owned; json_free() */
struct json_object; /* json-c's own type; a value inside a document */

typedef const struct json_object *json_value; /* NULL = absent */

/* Depth at most 64, the whole text must be one value. Fails with MESSAGE_MALFORMED. */
struct status
json_parse(struct ctx *cx, const void *text, size_t len, struct json **ret) MUST_CHECK;
void json_free(struct json *json);
json_value json_root(const struct json *json);

json_value json_get(json_value object, const char *member);
/* "items.data.0.price.id": members and array positions, separated by dots; "" is the value itself.
 */
json_value json_at(json_value value, const char *path);
size_t json_len(json_value array);
json_value json_item(json_value array, size_t index);
bool json_is_null(json_value value); /* absent or null */

/* Each with its default: "" / 0 / false. Texts are copied into the arena. */
const char *json_text(struct ctx *cx, json_value object, const char *path);
int64_t json_i64(json_value object, const char *path);
bool json_bool(json_value object, const char *path);

/* The value as compact text, in the arena. */
const char *json_print(struct ctx *cx, json_value value);

/* Members of an object in order: start with *cursor = NULL; false at the end. */
bool json_next(json_value object, void **cursor, const char **ret_name, json_value *ret_value);

/* Writing into a buf: commas are put by the writer. Depth at most 32. */
struct json_writer {
    struct buf *buf;
    uint32_t depth;
    bool need_comma;
};
void json_begin(struct json_writer *w, struct buf *buf);
void json_open_object(
    struct json_writer *w, const char *name); /* name NULL inside arrays, at the root */
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w, const char *name);
void json_close_array(struct json_writer *w);
void json_put_text(
    struct json_writer *w, const char *name, const char *text); /* NULL text = null */
void json_put_i64(struct json_writer *w, const char *name, int64_t value);
void json_put_bool(struct json_writer *w, const char *name, bool value);
void json_put_null(struct json_writer *w, const char *name);
void json_put_raw(struct json_writer *w, const char *name, const char *json_text);
