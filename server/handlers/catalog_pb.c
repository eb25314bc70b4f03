#include "handlers/catalog_pb.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "handlers/pb.h"
#include "http/json.h"

#define CONFIG_TEXT_BYTES_MAX 1024
#define CONFIG_JSON_BYTES_MAX 4096
/* A text may need six bytes for one when it is written as JSON. */
#define CONFIG_BYTES_MAX ((size_t)6 * CONFIG_JSON_BYTES_MAX + 64)

static void release_json(struct json **json)
{
    json_free(*json);
}

static const struct {
    enum feature_kind kind;
    Billingos__V1__FeatureKind message;
} kinds[] = {
    {FEATURE_BOOLEAN, BILLINGOS__V1__FEATURE_KIND__FEATURE_KIND_BOOLEAN},
    {FEATURE_CONFIG, BILLINGOS__V1__FEATURE_KIND__FEATURE_KIND_CONFIG},
    {FEATURE_METERED, BILLINGOS__V1__FEATURE_KIND__FEATURE_KIND_METERED},
    {FEATURE_CREDITS, BILLINGOS__V1__FEATURE_KIND__FEATURE_KIND_CREDITS},
};

Billingos__V1__FeatureKind catalog_pb_kind(enum feature_kind kind)
{
    return kinds[kind].message;
}

struct status catalog_pb_read_kind(
    struct ctx *cx, const char *field, Billingos__V1__FeatureKind kind, enum feature_kind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].message == kind) {
            *ret_kind = kinds[i].kind;
            return STATUS_OK;
        }
    }
    return status_field(cx, field, "must be one of BOOLEAN, CONFIG, METERED and CREDITS");
}

Billingos__V1__CatalogState catalog_pb_state(int64_t archived_us)
{
    return (Billingos__V1__CatalogState)catalog_state_of(archived_us);
}

struct status catalog_pb_read_state(
    struct ctx *cx, Billingos__V1__CatalogState state, enum catalog_state *ret_state)
{
    if ((int)state < CATALOG_ANY || (int)state > CATALOG_ARCHIVED) {
        return status_field(cx, "state", "must be ACTIVE, ARCHIVED or UNSPECIFIED");
    }
    *ret_state = (enum catalog_state)state;
    return STATUS_OK;
}

char *catalog_pb_etag(struct ctx *cx, int64_t version)
{
    return arena_printf(cx->arena, "%" PRId64, version);
}

void catalog_pb_texts(
    struct ctx *cx, const char *const *texts, size_t count, size_t *ret_count, char ***ret_texts)
{
    char **copy = arena_alloc(cx->arena, (count + 1) * sizeof *copy);

    *ret_count = copy == NULL ? 0 : count;
    *ret_texts = copy;
    for (size_t i = 0; i < *ret_count; i++) {
        copy[i] = pb_text(texts[i]);
    }
}

struct status catalog_pb_array(struct ctx *cx, size_t count, void *ret)
{
    void *array = arena_try_alloc(cx->arena, (count + 1) * sizeof(void *));

    if (array == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    memcpy(ret, &array, sizeof array);
    return STATUS_OK;
}

Billingos__V1__ConfigValue *catalog_pb_config(struct ctx *cx, const char *config)
{
    Billingos__V1__ConfigValue *message = NULL;
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    if (config[0] == '\0') {
        return NULL;
    }
    message = PB_NEW(cx, Billingos__V1__ConfigValue, billingos__v1__config_value__init);
    if (json_parse(cx, config, strlen(config), &json).code != CODE_OK) {
        return message;
    }
    root = json_root(json);
    if (json_get(root, "number") != NULL) {
        message->value_case = BILLINGOS__V1__CONFIG_VALUE__VALUE_NUMBER;
        message->number = json_i64(root, "number");
    } else if (json_get(root, "text") != NULL) {
        message->value_case = BILLINGOS__V1__CONFIG_VALUE__VALUE_TEXT;
        message->text = pb_text(json_text(cx, root, "text"));
    } else {
        message->value_case = BILLINGOS__V1__CONFIG_VALUE__VALUE_JSON;
        message->json = pb_text(json_print(cx, json_get(root, "json")));
    }
    return message;
}

/* The document itself, not what we read of it: nothing of it is lost. */
static struct status
read_config_json(struct ctx *cx, const char *field, const char *text, struct json_writer *w)
{
    AUTO(release_json) struct json *json = NULL;

    TRY(pb_check_text(cx, field, text, 1, CONFIG_JSON_BYTES_MAX));
    if (json_parse(cx, text, strlen(text), &json).code != CODE_OK) {
        return status_field(cx, field, "is not a JSON document");
    }
    if (json_is_null(json_root(json))) {
        return status_field(cx, field, "is null");
    }
    json_put_raw(w, "json", text);
    return STATUS_OK;
}

struct status catalog_pb_read_config(
    struct ctx *cx,
    const char *field,
    const Billingos__V1__ConfigValue *message,
    const char **ret_config,
    const char **ret_text)
{
    AUTO_BUF buf;
    struct json_writer w;

    *ret_config = "";
    *ret_text = "";
    buf_init(&buf, CONFIG_BYTES_MAX);
    if (message == NULL) {
        return STATUS_OK;
    }
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    switch (message->value_case) {
    case BILLINGOS__V1__CONFIG_VALUE__VALUE_NUMBER:
        json_put_i64(&w, "number", message->number);
        break;
    case BILLINGOS__V1__CONFIG_VALUE__VALUE_TEXT:
        TRY(pb_check_text(
            cx,
            arena_printf(cx->arena, "%s.text", field),
            message->text,
            0,
            CONFIG_TEXT_BYTES_MAX));
        json_put_text(&w, "text", message->text);
        *ret_text = message->text;
        break;
    case BILLINGOS__V1__CONFIG_VALUE__VALUE_JSON:
        TRY(read_config_json(cx, arena_printf(cx->arena, "%s.json", field), message->json, &w));
        break;
    default:
        return status_field(cx, field, "one of number, text and json must be set");
    }
    json_close_object(&w);
    *ret_config = arena_text(cx->arena, buf_cstr(&buf));
    return STATUS_OK;
}
