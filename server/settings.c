#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/arena.h"
#include "base/str.h"

#define KEY_BYTES_MAX 128
#define SECRET_FILE_BYTES_MAX 4096
#define DEPTH_MAX 4

enum setting_kind {
    KIND_TEXT,
    KIND_SECRET,
    KIND_FLAG,
    KIND_NUMBER
};

struct setting {
    enum setting_kind kind;
    const char *key;
    size_t offset;
    const char *text;
    int64_t number;
    int64_t min;
    int64_t max;
};

#define DEFAULT_TEXT(fallback) .text = (fallback)
#define DEFAULT_SECRET(fallback) .text = (fallback)
#define DEFAULT_FLAG(fallback) .number = (fallback)
#define DEFAULT_NUMBER(fallback) .number = (fallback)

static const struct setting table[] = {
#define SETTING(k, name, field, fallback, low, high) \
    {.kind = KIND_##k,                               \
     .key = (name),                                  \
     .offset = offsetof(struct settings, field),     \
     DEFAULT_##k(fallback),                          \
     .min = (low),                                   \
     .max = (high)},
#include "settings.def"
#undef SETTING
};

/* Texts that are one of a few words. */
static const struct {
    const char *key;
    const char *words[5];
    const char *allowed; /* for messages */
} choices[] = {
    {"log.level", {"debug", "info", "warn", "error"}, "debug, info, warn or error"},
    {"log.format", {"logfmt", "json"}, "logfmt or json"},
};

/* Where a value comes from, for messages. */
struct origin {
    const char *name; /* a file or an environment variable */
    size_t line;      /* 0: not of a file */
};

static const char *where(struct ctx *cx, const struct origin *origin)
{
    return origin->line == 0 ? origin->name
                             : arena_printf(cx->arena, "%s:%zu", origin->name, origin->line);
}

static const struct setting *find(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].key, key) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

/* "grpc": the first part of keys. */
static bool is_section(const char *name)
{
    const size_t len = strlen(name);

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strncmp(table[i].key, name, len) == 0 && table[i].key[len] == '.') {
            return true;
        }
    }
    return false;
}

static struct status unknown_key(struct ctx *cx, const struct origin *origin, const char *key)
{
    const char *nearest = NULL;
    size_t best = 5;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const size_t distance = str_distance(str_of(key), str_of(table[i].key), best);

        if (distance < best) {
            best = distance;
            nearest = table[i].key;
        }
    }
    if (nearest != NULL) {
        return status_fail(
            cx,
            REASON_FIELD_INVALID,
            "%s: unknown key \"%s\", did you mean \"%s\"?",
            where(cx, origin),
            key,
            nearest);
    }
    return status_fail(
        cx,
        REASON_FIELD_INVALID,
        "%s: unknown key \"%s\"; `billingos config print` lists all keys",
        where(cx, origin),
        key);
}

static struct status check_choice(
    struct ctx *cx, const struct setting *setting, const struct origin *origin, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        bool known = strcmp(choices[i].key, setting->key) != 0;

        for (size_t j = 0; choices[i].words[j] != NULL && !known; j++) {
            known = strcmp(choices[i].words[j], value) == 0;
        }
        if (!known) {
            return status_fail(
                cx,
                REASON_FIELD_INVALID,
                "%s: %s is \"%.40s\", it must be %s",
                where(cx, origin),
                setting->key,
                value,
                choices[i].allowed);
        }
    }
    return STATUS_OK;
}

static struct status set_flag(
    struct ctx *cx,
    const struct setting *setting,
    const struct origin *origin,
    const char *value,
    int64_t *ret_value)
{
    if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) {
        *ret_value = value[0] == 't';
        return STATUS_OK;
    }
    return status_fail(
        cx,
        REASON_FIELD_INVALID,
        "%s: %s is \"%.40s\", it must be true or false",
        where(cx, origin),
        setting->key,
        value);
}

static struct status set_number(
    struct ctx *cx,
    const struct setting *setting,
    const struct origin *origin,
    const char *value,
    int64_t *ret_value)
{
    long long number = 0;

    if (!str_to_i64(str_of(value), &number) || number < setting->min || number > setting->max) {
        return status_fail(
            cx,
            REASON_FIELD_INVALID,
            "%s: %s is \"%.40s\", it must be a whole number from %" PRId64 " to %" PRId64,
            where(cx, origin),
            setting->key,
            value,
            setting->min,
            setting->max);
    }
    *ret_value = number;
    return STATUS_OK;
}

static struct status
set(struct ctx *cx,
    struct settings *settings,
    const struct setting *setting,
    const struct origin *origin,
    const char *value)
{
    void *field = (char *)settings + setting->offset;

    switch (setting->kind) {
    case KIND_FLAG:
        return set_flag(cx, setting, origin, value, field);
    case KIND_NUMBER:
        return set_number(cx, setting, origin, value, field);
    case KIND_TEXT:
        TRY(check_choice(cx, setting, origin, value));
        *(const char **)field = arena_text(cx->arena, value);
        break;
    case KIND_SECRET:
        *(const char **)field = arena_text(cx->arena, value);
        break;
    }
    return STATUS_OK;
}

static void set_defaults(struct settings *settings)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        void *field = (char *)settings + table[i].offset;

        if (table[i].kind == KIND_TEXT || table[i].kind == KIND_SECRET) {
            *(const char **)field = table[i].text;
        } else {
            *(int64_t *)field = table[i].number;
        }
    }
}

/* "grpc.listen" -> "BILLINGOS_GRPC_LISTEN" */
static void environment_name(const char *key, char ret_name[KEY_BYTES_MAX])
{
    size_t len = (size_t)snprintf(ret_name, KEY_BYTES_MAX, "BILLINGOS_");

    for (const char *c = key; *c != '\0' && len + 1 < KEY_BYTES_MAX; c++) {
        ret_name[len++] = (char)(*c == '.' ? '_' : toupper((unsigned char)*c));
    }
    ret_name[len] = '\0';
}

static struct status
read_secret_file(struct ctx *cx, const char *name, const char *path, const char **ret_value)
{
    char content[SECRET_FILE_BYTES_MAX];
    size_t len = 0;
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return status_fail(
            cx,
            REASON_FIELD_INVALID,
            "%s: cannot read \"%s\": %s",
            name,
            path,
            strerrordesc_np(errno));
    }
    len = fread(content, 1, sizeof content, file);
    fclose(file);
    if (len == sizeof content) {
        return status_fail(
            cx,
            REASON_FIELD_INVALID,
            "%s: \"%s\" has more than %d bytes",
            name,
            path,
            SECRET_FILE_BYTES_MAX - 1);
    }
    while (len > 0 && isspace((unsigned char)content[len - 1])) {
        len--;
    }
    *ret_value = arena_text_n(cx->arena, content, len);
    return STATUS_OK;
}

/* Settings are read before any thread is started. */
static const char *environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): see above. */
}

/* NULL when neither NAME nor, for a secret, NAME_FILE is set. */
static struct status environment_value(
    struct ctx *cx, const struct setting *setting, const char *name, const char **ret_value)
{
    char file_name[KEY_BYTES_MAX + 8];
    const char *file = NULL;

    *ret_value = environment(name);
    if (*ret_value != NULL || setting->kind != KIND_SECRET) {
        return STATUS_OK;
    }
    snprintf(file_name, sizeof file_name, "%s_FILE", name);
    file = environment(file_name);
    return file == NULL ? STATUS_OK : read_secret_file(cx, file_name, file, ret_value);
}

static struct status
read_variable(struct ctx *cx, struct settings *settings, const struct setting *setting)
{
    char name[KEY_BYTES_MAX];
    const struct origin origin = {name, 0};
    const char *value = NULL;

    environment_name(setting->key, name);
    TRY(environment_value(cx, setting, name, &value));
    return value == NULL ? STATUS_OK : set(cx, settings, setting, &origin, value);
}

static struct status read_environment(struct ctx *cx, struct settings *settings)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        TRY(read_variable(cx, settings, &table[i]));
    }
    return STATUS_OK;
}

/* Walks the events of libyaml: only maps of maps of scalars are allowed. */
struct reader {
    struct ctx *cx;
    struct settings *settings;
    const char *file;
    char path[DEPTH_MAX][KEY_BYTES_MAX];
    size_t depth;  /* open maps */
    bool have_key; /* the key of the innermost map has been read, its value comes next */
};

static struct status read_error(struct reader *reader, size_t line, const char *what)
{
    return status_fail(reader->cx, REASON_FIELD_INVALID, "%s:%zu: %s", reader->file, line, what);
}

/* How YAML writes nothing. */
static bool is_null(const char *value)
{
    return value[0] == '\0' || strcmp(value, "~") == 0 || strcmp(value, "null") == 0;
}

static struct status read_scalar(struct reader *reader, size_t line, const char *value)
{
    char key[DEPTH_MAX * KEY_BYTES_MAX] = "";
    struct origin origin = {reader->file, line};
    const struct setting *setting = NULL;
    size_t len = 0;

    if (reader->depth == 0) {
        return value[0] == '\0' ? STATUS_OK : read_error(reader, line, "a map of keys is expected");
    }
    if (!reader->have_key) {
        snprintf(reader->path[reader->depth - 1], KEY_BYTES_MAX, "%s", value);
        reader->have_key = true;
        return STATUS_OK;
    }
    reader->have_key = false;
    for (size_t i = 0; i < reader->depth; i++) {
        len += (size_t)snprintf(
            key + len, sizeof key - len, "%s%s", i == 0 ? "" : ".", reader->path[i]);
    }
    setting = find(key);
    if (setting == NULL && is_null(value) && is_section(key)) {
        return STATUS_OK; /* all its keys are commented out */
    }
    if (setting == NULL) {
        return unknown_key(reader->cx, &origin, key);
    }
    return set(reader->cx, reader->settings, setting, &origin, value);
}

static struct status read_event(struct reader *reader, const yaml_event_t *event)
{
    const size_t line = event->start_mark.line + 1;

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, line, (const char *)event->data.scalar.value);
    case YAML_MAPPING_START_EVENT:
        if (reader->depth == DEPTH_MAX) {
            return read_error(reader, line, "keys are nested too deep");
        }
        reader->depth++;
        reader->have_key = false;
        return STATUS_OK;
    case YAML_MAPPING_END_EVENT:
        reader->depth--;
        reader->have_key = false;
        return STATUS_OK;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_ALIAS_EVENT:
        return read_error(reader, line, "lists and aliases are not used here: write a, b, c");
    default:
        return STATUS_OK;
    }
}

static struct status read_events(struct reader *reader, yaml_parser_t *parser)
{
    bool more = true;

    while (more) {
        yaml_event_t event;
        struct status status;

        if (!yaml_parser_parse(parser, &event)) {
            return read_error(
                reader,
                parser->problem_mark.line + 1,
                parser->problem == NULL ? "not YAML" : parser->problem);
        }
        more = event.type != YAML_STREAM_END_EVENT;
        status = read_event(reader, &event);
        yaml_event_delete(&event);
        TRY(status);
    }
    return STATUS_OK;
}

static struct status read_file(struct ctx *cx, const char *path, struct settings *settings)
{
    struct reader reader = {.cx = cx, .settings = settings, .file = path};
    struct status status;
    yaml_parser_t parser;
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return status_fail(
            cx,
            REASON_FIELD_INVALID,
            "cannot read settings \"%s\": %s",
            path,
            strerrordesc_np(errno));
    }
    if (!yaml_parser_initialize(&parser)) {
        fclose(file);
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    yaml_parser_set_input_file(&parser, file);
    status = read_events(&reader, &parser);
    yaml_parser_delete(&parser);
    fclose(file);
    return status;
}

struct status settings_load(struct ctx *cx, const char *file, struct settings *ret_settings)
{
    set_defaults(ret_settings);
    if (file != NULL) {
        TRY(read_file(cx, file, ret_settings));
    }
    return read_environment(cx, ret_settings);
}

void settings_print(const struct settings *settings, FILE *out)
{
    char section[KEY_BYTES_MAX] = "";

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const char *dot = strchr(table[i].key, '.');
        const void *field = (const char *)settings + table[i].offset;
        const size_t len = (size_t)(dot - table[i].key);

        if (strncmp(section, table[i].key, len) != 0 || section[len] != '\0') {
            snprintf(section, sizeof section, "%.*s", (int)len, table[i].key);
            fprintf(out, "%s:\n", section);
        }
        switch (table[i].kind) {
        case KIND_TEXT:
            fprintf(out, "  %s: \"%s\"\n", dot + 1, *(const char *const *)field);
            break;
        case KIND_SECRET:
            fprintf(
                out,
                "  %s: (%s)\n",
                dot + 1,
                (*(const char *const *)field)[0] == '\0' ? "not set" : "set");
            break;
        case KIND_FLAG:
            fprintf(out, "  %s: %s\n", dot + 1, *(const int64_t *)field != 0 ? "true" : "false");
            break;
        case KIND_NUMBER:
            fprintf(out, "  %s: %" PRId64 "\n", dot + 1, *(const int64_t *)field);
            break;
        }
    }
}
