#include "http/json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* json-c has a type of this name. */
/* NOLINTNEXTLINE(readability-identifier-naming): its name, not ours. */
#define json_bool json_c_bool

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/json_visit.h>
#include <json-c/linkhash.h>

#undef json_bool

#include "base/arena.h"
#include "base/heap.h"
#include "http/json_scan.h"

struct json {
    struct json_object *root; /* NULL: the value null */
};

/* json-c's readers take pointers that are not const and leave the object alone. */
static struct json_object *loose(json_value value)
{
    return (struct json_object *)value;
}

static void put_object(struct json_object **object)
{
    json_object_put(*object);
}

static void free_tokener(struct json_tokener **tokener)
{
    if (*tokener != NULL) {
        json_tokener_free(*tokener);
    }
}

/* NOLINTBEGIN(readability-non-const-parameter): the parameters are those of json-c. */
static int add_members(
    struct json_object *object,
    int flags,
    struct json_object *parent,
    const char *name,
    size_t *index,
    void *user)
{
    (void)parent;
    (void)name;
    (void)index;
    if (flags != JSON_C_VISIT_SECOND && json_object_is_type(object, json_type_object)) {
        *(size_t *)user += (size_t)json_object_object_length(object);
    }
    return JSON_C_VISIT_RETURN_CONTINUE;
}
/* NOLINTEND(readability-non-const-parameter) */

/* json-c lets the last of two members of one name win without a word; then the tree has fewer
 * members than the text. */
static bool has_duplicates(struct json_object *root, size_t members)
{
    size_t count = 0;

    return json_c_visit(root, 0, add_members, &count) != 0 || count != members;
}

static struct status
parse_scanned(struct ctx *cx, struct str text, size_t members, struct json_object **ret_root)
{
    AUTO(free_tokener) struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
    AUTO(put_object) struct json_object *root = NULL;

    if (tokener == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    root = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
    if (json_tokener_get_error(tokener) == json_tokener_continue) {
        root = json_tokener_parse_ex(tokener, "", 1); /* a number ends where the text ends */
    }
    if (json_tokener_get_error(tokener) != json_tokener_success) {
        return status_fail(
            cx,
            REASON_MESSAGE_MALFORMED,
            "JSON cannot be read: %s",
            json_tokener_error_desc(json_tokener_get_error(tokener)));
    }
    if (has_duplicates(root, members)) {
        return status_fail(
            cx, REASON_MESSAGE_MALFORMED, "JSON cannot be read: a member name stands there twice");
    }
    *ret_root = TAKE(root);
    return STATUS_OK;
}

struct status json_parse(struct ctx *cx, const void *text, size_t len, struct json **ret)
{
    const struct str slice = {len == 0 ? "" : text, len};
    size_t members = 0;
    const char *error = json_scan(slice, &members);
    struct json *json = NULL;
    struct json_object *root = NULL;

    if (error == NULL && len > INT_MAX) {
        error = "it is too long";
    }
    if (error != NULL) {
        return status_fail(cx, REASON_MESSAGE_MALFORMED, "JSON cannot be read: %s", error);
    }
    TRY(parse_scanned(cx, slice, members, &root));
    json = heap_new(sizeof *json);
    if (json == NULL) {
        json_object_put(root);
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    json->root = root;
    *ret = json;
    return STATUS_OK;
}

void json_free(struct json *json)
{
    if (json != NULL) {
        json_object_put(json->root);
        heap_free(json);
    }
}

json_value json_root(const struct json *json)
{
    return json->root;
}

json_value json_get(json_value object, const char *member)
{
    struct json_object *value = NULL;

    if (!json_object_is_type(loose(object), json_type_object)) {
        return NULL;
    }
    return json_object_object_get_ex(loose(object), member, &value) ? value : NULL;
}

static json_value get_n(json_value value, struct str name)
{
    char text[128];
    long long index = 0;

    if (json_object_is_type(loose(value), json_type_array)) {
        return str_to_i64(name, &index) && index >= 0 ? json_item(value, (size_t)index) : NULL;
    }
    if (name.len >= sizeof text) {
        return NULL;
    }
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return json_get(value, text);
}

json_value json_at(json_value value, const char *path)
{
    if (path[0] == '\0') {
        return value;
    }
    while (value != NULL) {
        const char *dot = strchr(path, '.');

        if (dot == NULL) {
            return get_n(value, str_of(path));
        }
        value = get_n(value, (struct str){path, (size_t)(dot - path)});
        path = dot + 1;
    }
    return NULL;
}

size_t json_len(json_value array)
{
    return json_object_is_type(loose(array), json_type_array)
               ? json_object_array_length(loose(array))
               : 0;
}

json_value json_item(json_value array, size_t index)
{
    return index < json_len(array) ? json_object_array_get_idx(loose(array), index) : NULL;
}

bool json_is_null(json_value value)
{
    return value == NULL;
}

const char *json_text(struct ctx *cx, json_value object, const char *path)
{
    const json_value value = json_at(object, path);

    if (!json_object_is_type(loose(value), json_type_string)) {
        return "";
    }
    return arena_text_n(
        cx->arena,
        json_object_get_string(loose(value)),
        (size_t)json_object_get_string_len(loose(value)));
}

/* json-c keeps what is beyond int64 as uint64, or cuts it off at the ends; such numbers are not
 * integers to us. */
int64_t json_i64(json_value object, const char *path)
{
    const json_value value = json_at(object, path);
    int64_t number = 0;

    if (!json_object_is_type(loose(value), json_type_int) ||
        json_object_get_uint64(loose(value)) > INT64_MAX) {
        return 0;
    }
    number = json_object_get_int64(loose(value));
    return number == INT64_MIN ? 0 : number;
}

bool json_bool(json_value object, const char *path)
{
    const json_value value = json_at(object, path);

    return json_object_is_type(loose(value), json_type_boolean) &&
           json_object_get_boolean(loose(value)) != 0;
}

const char *json_print(struct ctx *cx, json_value value)
{
    size_t len = 0;
    const char *text = json_object_to_json_string_length(
        loose(value), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

    if (value == NULL) {
        return "null";
    }
    if (text == NULL) {
        cx->arena->failed = true;
        return "";
    }
    return arena_text_n(cx->arena, text, len);
}

bool json_next(json_value object, void **cursor, const char **ret_name, json_value *ret_value)
{
    struct lh_entry *entry = *cursor;

    if (!json_object_is_type(loose(object), json_type_object)) {
        return false;
    }
    entry =
        entry == NULL ? lh_table_head(json_object_get_object(loose(object))) : lh_entry_next(entry);
    if (entry == NULL) {
        return false;
    }
    *cursor = entry;
    *ret_name = lh_entry_k(entry);
    *ret_value = lh_entry_v(entry);
    return true;
}
