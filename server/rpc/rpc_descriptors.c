#include "rpc/rpc_descriptors.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/hash.h"
#include "base/heap.h"
#include "rpc/rpc_wire.h"

#define INDEX_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define LEVELS_MAX 32 /* of messages inside messages */

/* The messages of google/protobuf/descriptor.proto that name something. */
enum kind {
    KIND_FILE,
    KIND_MESSAGE,
    KIND_FIELD,
    KIND_ONEOF,
    KIND_ENUM,
    KIND_VALUE,
    KIND_SERVICE,
    KIND_METHOD,
};

/* Which field of which of them holds which of them. */
static const struct {
    enum kind parent;
    uint32_t number;
    enum kind child;
} children[] = {
    {KIND_FILE, 4, KIND_MESSAGE},
    {KIND_FILE, 5, KIND_ENUM},
    {KIND_FILE, 6, KIND_SERVICE},
    {KIND_FILE, 7, KIND_FIELD}, /* extensions */
    {KIND_MESSAGE, 2, KIND_FIELD},
    {KIND_MESSAGE, 3, KIND_MESSAGE},
    {KIND_MESSAGE, 4, KIND_ENUM},
    {KIND_MESSAGE, 6, KIND_FIELD},
    {KIND_MESSAGE, 8, KIND_ONEOF},
    {KIND_ENUM, 2, KIND_VALUE},
    {KIND_SERVICE, 2, KIND_METHOD},
};

struct rpc_descriptors {
    struct arena arena;
    struct rpc_file *files;
    size_t file_count;
    struct hash *files_by_name;
    struct hash *symbols; /* full name -> struct rpc_file */
    size_t symbol_count;
    const char **services;
    size_t service_count;
    struct rpc_method_shape *methods;
    size_t method_count;
};

/* One element of a file, with its full name. */
struct element {
    enum kind kind;
    const struct rpc_file *file;
    const char *name;  /* in the arena */
    const char *scope; /* the full name of what it stands in */
    struct str bytes;
};

/* names: where names are made; NULL while they are not needed. */
struct visit {
    bool (*visit)(struct rpc_descriptors *descriptors, const struct element *element);
    struct arena *names;
};

struct level {
    struct rpc_wire wire;
    enum kind kind;
    const char *scope; /* what the names inside begin with */
};

static const uint32_t number_of_name = 1; /* in all of them */

/* The last field with this number, as a parser would have it. */
static struct rpc_wire_field find(struct str bytes, uint32_t number)
{
    struct rpc_wire wire = rpc_wire_of(bytes);
    struct rpc_wire_field field;
    struct rpc_wire_field found = {.bytes = STR("")};

    while (rpc_wire_next(&wire, &field)) {
        if (field.number == number) {
            found = field;
        }
    }
    return found;
}

static bool find_child(enum kind parent, uint32_t number, enum kind *ret_child)
{
    for (size_t i = 0; i < ARRAY_LEN(children); i++) {
        if (children[i].parent == parent && children[i].number == number) {
            *ret_child = children[i].child;
            return true;
        }
    }
    return false;
}

static const char *join(struct arena *arena, const char *scope, struct str name)
{
    if (arena == NULL) {
        return "";
    }
    return *scope == '\0' ? str_text(arena, name)
                          : arena_printf(arena, "%s.%.*s", scope, STR_ARG(name));
}

/* Calls visit for everything that a file names, outer things first. */
static bool
walk(struct rpc_descriptors *descriptors, const struct rpc_file *file, const struct visit *visit)
{
    struct level levels[LEVELS_MAX];
    size_t depth = 1;
    struct rpc_wire_field field;

    levels[0] =
        (struct level){rpc_wire_of(file->bytes), KIND_FILE, join(visit->names, "", file->package)};
    while (depth > 0) {
        struct level *level = &levels[depth - 1];
        struct element element = {.file = file, .scope = level->scope};

        if (!rpc_wire_next(&level->wire, &field)) {
            if (level->wire.malformed) {
                return false;
            }
            depth--;
            continue;
        }
        if (field.type != RPC_WIRE_BYTES || !find_child(level->kind, field.number, &element.kind)) {
            continue;
        }
        element.bytes = field.bytes;
        element.name = join(visit->names, level->scope, find(field.bytes, number_of_name).bytes);
        if (depth == LEVELS_MAX || !visit->visit(descriptors, &element)) {
            return false;
        }
        levels[depth++] = (struct level){
            rpc_wire_of(field.bytes),
            element.kind,
            element.kind == KIND_ENUM ? level->scope : element.name, /* values stand beside it */
        };
    }
    return true;
}

static bool count_element(struct rpc_descriptors *descriptors, const struct element *element)
{
    descriptors->symbol_count++;
    descriptors->service_count += element->kind == KIND_SERVICE;
    descriptors->method_count += element->kind == KIND_METHOD;
    return true;
}

/* ".billingos.v1.Customer" -> "billingos.v1.Customer" */
static struct str type_name(struct str name)
{
    return name.len > 0 && name.ptr[0] == '.' ? (struct str){name.ptr + 1, name.len - 1} : name;
}

static void add_method(struct rpc_descriptors *descriptors, const struct element *element)
{
    const struct str name = find(element->bytes, number_of_name).bytes;

    descriptors->methods[descriptors->method_count++] = (struct rpc_method_shape){
        .path = arena_printf(&descriptors->arena, "/%s/%.*s", element->scope, STR_ARG(name)),
        .service = element->scope,
        .name = str_text(&descriptors->arena, name),
        .input = type_name(find(element->bytes, 2).bytes),
        .output = type_name(find(element->bytes, 3).bytes),
        .client_streaming = find(element->bytes, 5).value != 0,
        .server_streaming = find(element->bytes, 6).value != 0,
    };
}

static bool add_element(struct rpc_descriptors *descriptors, const struct element *element)
{
    if (element->kind == KIND_SERVICE) {
        descriptors->services[descriptors->service_count++] = element->name;
    }
    if (element->kind == KIND_METHOD) {
        add_method(descriptors, element);
    }
    return hash_put(
        descriptors->symbols,
        element->name,
        strlen(element->name),
        (void *)element->file,
        /* ret_old= */ NULL);
}

static bool list_files(struct rpc_descriptors *descriptors, struct str set)
{
    struct rpc_wire wire = rpc_wire_of(set);
    struct rpc_wire_field field;

    while (rpc_wire_next(&wire, &field)) {
        descriptors->file_count += field.number == 1 && field.type == RPC_WIRE_BYTES;
    }
    descriptors->files = arena_try_alloc(
        &descriptors->arena, (descriptors->file_count + 1) * sizeof(struct rpc_file));
    descriptors->files_by_name = hash_new(descriptors->file_count);
    if (wire.malformed || descriptors->files == NULL || descriptors->files_by_name == NULL) {
        return false;
    }
    wire = rpc_wire_of(set);
    for (size_t i = 0; rpc_wire_next(&wire, &field);) {
        struct rpc_file *file = &descriptors->files[i];

        if (field.number != 1 || field.type != RPC_WIRE_BYTES) {
            continue;
        }
        file->bytes = field.bytes;
        file->name = find(field.bytes, 1).bytes;
        file->package = find(field.bytes, 2).bytes;
        if (!hash_put(descriptors->files_by_name, file->name.ptr, file->name.len, file, NULL)) {
            return false;
        }
        i++;
    }
    return true;
}

static bool link_imports(struct rpc_descriptors *descriptors, struct rpc_file *file)
{
    struct rpc_wire wire = rpc_wire_of(file->bytes);
    struct rpc_wire_field field;
    size_t count = 0;

    while (rpc_wire_next(&wire, &field)) {
        count += field.number == 3;
    }
    file->imports =
        arena_try_alloc(&descriptors->arena, (count + 1) * sizeof(const struct rpc_file *));
    if (wire.malformed || file->imports == NULL) {
        return false;
    }
    wire = rpc_wire_of(file->bytes);
    while (rpc_wire_next(&wire, &field)) {
        const struct rpc_file *import =
            field.number == 3 ? rpc_descriptors_file(descriptors, field.bytes) : NULL;

        if (import != NULL) {
            file->imports[file->import_count++] = import;
        }
    }
    return true;
}

static bool walk_all(struct rpc_descriptors *descriptors, const struct visit *visit)
{
    for (size_t i = 0; i < descriptors->file_count; i++) {
        if (!walk(descriptors, &descriptors->files[i], visit)) {
            return false;
        }
    }
    return true;
}

static bool build(struct rpc_descriptors *descriptors, struct str set)
{
    const struct visit count = {count_element, NULL};
    const struct visit add = {add_element, &descriptors->arena};

    if (!list_files(descriptors, set) || !walk_all(descriptors, &count)) {
        return false;
    }
    descriptors->symbols = hash_new(descriptors->symbol_count);
    descriptors->services = arena_try_alloc(
        &descriptors->arena, (descriptors->service_count + 1) * sizeof(const char *));
    descriptors->methods = arena_try_alloc(
        &descriptors->arena, (descriptors->method_count + 1) * sizeof(struct rpc_method_shape));
    if (descriptors->symbols == NULL || descriptors->services == NULL ||
        descriptors->methods == NULL) {
        return false;
    }
    descriptors->service_count = 0;
    descriptors->method_count = 0;
    for (size_t i = 0; i < descriptors->file_count; i++) {
        if (!link_imports(descriptors, &descriptors->files[i])) {
            return false;
        }
    }
    return walk_all(descriptors, &add) && !arena_failed(&descriptors->arena);
}

struct status
rpc_descriptors_new(struct ctx *cx, struct str set, struct rpc_descriptors **ret_descriptors)
{
    struct rpc_descriptors *descriptors = heap_new(sizeof *descriptors);

    if (descriptors == NULL) {
        return status_fail(cx, REASON_INTERNAL, "no memory for the descriptors");
    }
    arena_init(&descriptors->arena, NULL, 0, INDEX_BYTES_MAX);
    if (!build(descriptors, set)) {
        rpc_descriptors_free(descriptors);
        return status_fail(cx, REASON_INTERNAL, "the embedded descriptor set cannot be read");
    }
    *ret_descriptors = descriptors;
    return STATUS_OK;
}

void rpc_descriptors_free(struct rpc_descriptors *descriptors)
{
    if (descriptors == NULL) {
        return;
    }
    hash_free(descriptors->symbols);
    hash_free(descriptors->files_by_name);
    arena_release(&descriptors->arena);
    heap_free(descriptors);
}

const struct rpc_file *
rpc_descriptors_file(const struct rpc_descriptors *descriptors, struct str name)
{
    return hash_get(descriptors->files_by_name, name.ptr, name.len);
}

const struct rpc_file *
rpc_descriptors_symbol(const struct rpc_descriptors *descriptors, struct str name)
{
    return hash_get(descriptors->symbols, name.ptr, name.len);
}

size_t rpc_descriptors_file_count(const struct rpc_descriptors *descriptors)
{
    return descriptors->file_count;
}

size_t rpc_descriptors_service_count(const struct rpc_descriptors *descriptors)
{
    return descriptors->service_count;
}

const char *rpc_descriptors_service(const struct rpc_descriptors *descriptors, size_t index)
{
    return descriptors->services[index];
}

size_t rpc_descriptors_method_count(const struct rpc_descriptors *descriptors)
{
    return descriptors->method_count;
}

const struct rpc_method_shape *
rpc_descriptors_method(const struct rpc_descriptors *descriptors, size_t index)
{
    return &descriptors->methods[index];
}

size_t
rpc_descriptors_file_index(const struct rpc_descriptors *descriptors, const struct rpc_file *file)
{
    return (size_t)(file - descriptors->files);
}
