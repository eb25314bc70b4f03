#include "rpc/rpc_method_index.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/hash.h"
#include "base/heap.h"
#include "rpc/rpc_descriptors.h"

#define NAMES_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct rpc_method_index {
    struct arena arena; /* of the names */
    struct hash *by_path;
    struct rpc_entry unknown;
    struct rpc_entry *last; /* found: most calls are like the one before */
    size_t count;
    struct rpc_entry entries[];
};

/* Splits "/service/method" for the labels of metrics and for logs. */
static void name_entry(struct arena *arena, const char *path, struct rpc_entry *entry)
{
    const char *slash = strrchr(path, '/');

    entry->path = str_of(path);
    entry->name = arena_text(arena, path + 1);
    entry->metrics.service = arena_text_n(arena, path + 1, (size_t)(slash - path) - 1);
    entry->metrics.method = arena_text(arena, slash + 1);
}

static bool is_path(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');

    return slash != NULL && *path == '/' && slash > path + 1 && slash[1] != '\0';
}

static enum rpc_shape shape_of(const struct rpc_method *method)
{
    if (method->unary != NULL) {
        return RPC_SHAPE_UNARY;
    }
    if (method->open != NULL) {
        return RPC_SHAPE_SOURCE;
    }
    return method->inflow != NULL ? RPC_SHAPE_INFLOW : RPC_SHAPE_NONE;
}

static bool shape_fits(enum rpc_shape shape, const struct rpc_method_shape *described)
{
    switch (shape) {
    case RPC_SHAPE_NONE:
        return true;
    case RPC_SHAPE_UNARY:
        return !described->client_streaming && !described->server_streaming;
    case RPC_SHAPE_SOURCE:
        return !described->client_streaming && described->server_streaming;
    case RPC_SHAPE_INFLOW:
        return described->client_streaming;
    }
    return false;
}

static struct status misfit(struct ctx *cx, const char *path, const char *why)
{
    return status_fail(cx, REASON_INTERNAL, "method table: row \"%s\" %s", path, why);
}

/* What can be said of a row without the descriptor set. */
static struct status check_row(struct ctx *cx, const struct rpc_method *method)
{
    const int functions =
        (method->unary != NULL) + (method->open != NULL) + (method->inflow != NULL);

    if (!is_path(method->path)) {
        return misfit(cx, method->path == NULL ? "" : method->path, "has no path");
    }
    if (functions > 1) {
        return misfit(cx, method->path, "has more than one function");
    }
    if (functions == 1 && (method->input == NULL || method->output == NULL)) {
        return misfit(cx, method->path, "has no message types");
    }
    if (method->lane >= RPC_LANE_COUNT) {
        return misfit(cx, method->path, "has no valid lane");
    }
    return STATUS_OK;
}

static struct status check_described(
    struct ctx *cx, const struct rpc_method *method, const struct rpc_method_shape *described)
{
    if (!shape_fits(shape_of(method), described)) {
        return misfit(cx, method->path, "streams in another way than its .proto says");
    }
    if (method->input != NULL && !str_equal(str_of(method->input->name), described->input)) {
        return misfit(cx, method->path, "takes another message than its .proto says");
    }
    if (method->output != NULL && !str_equal(str_of(method->output->name), described->output)) {
        return misfit(cx, method->path, "answers another message than its .proto says");
    }
    return STATUS_OK;
}

static struct status add_entry(
    struct ctx *cx, struct rpc_method_index *index, const char *path, struct rpc_entry **ret_entry)
{
    struct rpc_entry *entry = &index->entries[index->count++];
    void *old = NULL;

    name_entry(&index->arena, path, entry);
    entry->refusal = REASON_METHOD_NOT_IMPLEMENTED;
    if (!hash_put(index->by_path, path, strlen(path), entry, &old) || old != NULL ||
        arena_failed(&index->arena)) {
        return misfit(cx, path, "stands twice");
    }
    *ret_entry = entry;
    return STATUS_OK;
}

static struct status add_described(
    struct ctx *cx, struct rpc_method_index *index, const struct rpc_descriptors *descriptors)
{
    struct rpc_entry *entry = NULL;

    for (size_t i = 0; i < rpc_descriptors_method_count(descriptors); i++) {
        TRY(add_entry(cx, index, rpc_descriptors_method(descriptors, i)->path, &entry));
    }
    return STATUS_OK;
}

/* The entries of the described methods come first, in the order of the set. */
static struct status check_entry(
    struct ctx *cx,
    const struct rpc_method_index *index,
    const struct rpc_descriptors *descriptors,
    const struct rpc_method *method,
    const struct rpc_entry *entry,
    bool must_be_described)
{
    const size_t at = (size_t)(entry - index->entries);

    if (entry->method != NULL || at >= rpc_descriptors_method_count(descriptors)) {
        return misfit(cx, method->path, "stands twice");
    }
    return must_be_described ? check_described(cx, method, rpc_descriptors_method(descriptors, at))
                             : STATUS_OK;
}

static struct status add_row(
    struct ctx *cx,
    struct rpc_method_index *index,
    const struct rpc_descriptors *descriptors,
    const struct rpc_method_table *table,
    const struct rpc_method *method,
    bool must_be_described)
{
    struct rpc_entry *entry = NULL;

    TRY(check_row(cx, method));
    entry = hash_get(index->by_path, method->path, strlen(method->path));
    if (entry != NULL) {
        TRY(check_entry(cx, index, descriptors, method, entry, must_be_described));
    } else if (must_be_described) {
        return misfit(cx, method->path, "is not in the descriptor set");
    } else {
        TRY(add_entry(cx, index, method->path, &entry));
    }
    entry->shape = shape_of(method);
    if (entry->shape != RPC_SHAPE_NONE) {
        entry->method = method;
        entry->table = table;
    }
    return STATUS_OK;
}

static struct status add_table(
    struct ctx *cx,
    struct rpc_method_index *index,
    const struct rpc_descriptors *descriptors,
    const struct rpc_method_table *table,
    bool must_be_described)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct rpc_method *row = &table->methods[i];

        TRY(add_row(cx, index, descriptors, table, row, must_be_described));
    }
    return STATUS_OK;
}

static struct status add_all(
    struct ctx *cx,
    struct rpc_method_index *index,
    const struct rpc_method_table *const *tables,
    size_t table_count,
    const struct rpc_descriptors *descriptors)
{
    TRY(add_described(cx, index, descriptors));
    for (size_t i = 0; i < table_count; i++) {
        TRY(add_table(cx, index, descriptors, tables[i], /* must_be_described= */ i == 0));
    }
    return STATUS_OK;
}

struct status rpc_method_index_new(
    struct ctx *cx,
    const struct rpc_method_table *const *tables,
    size_t table_count,
    const struct rpc_descriptors *descriptors,
    struct rpc_method_index **ret_index)
{
    size_t max = rpc_descriptors_method_count(descriptors);
    struct rpc_method_index *index = NULL;
    struct status status;

    for (size_t i = 0; i < table_count; i++) {
        max += tables[i]->count;
    }
    index = heap_new(sizeof *index + max * sizeof index->entries[0]);
    if (index != NULL) {
        index->by_path = hash_new(max);
    }
    if (index == NULL || index->by_path == NULL) {
        heap_free(index);
        return status_fail(cx, REASON_INTERNAL, "no memory for the method table");
    }
    arena_init(&index->arena, NULL, 0, NAMES_BYTES_MAX);
    index->last = &index->unknown;
    index->unknown = (struct rpc_entry){
        .refusal = REASON_METHOD_UNKNOWN,
        .path = STR(""),
        .name = "unknown",
        .metrics = {.service = "unknown", .method = "unknown"},
    };
    status = add_all(cx, index, tables, table_count, descriptors);
    if (status.code != CODE_OK) {
        rpc_method_index_free(index);
        return status;
    }
    *ret_index = index;
    return STATUS_OK;
}

void rpc_method_index_free(struct rpc_method_index *index)
{
    if (index == NULL) {
        return;
    }
    hash_free(index->by_path);
    arena_release(&index->arena);
    heap_free(index);
}

struct rpc_entry *rpc_method_index_find(struct rpc_method_index *index, struct str path)
{
    struct rpc_entry *entry = index->last;

    if (str_equal(entry->path, path)) {
        return entry;
    }
    entry = hash_get(index->by_path, path.ptr, path.len);
    if (entry == NULL) {
        return &index->unknown;
    }
    index->last = entry;
    return entry;
}

uint32_t rpc_method_index_request_bytes_max(
    const struct rpc_method_index *index, uint32_t request_bytes_default)
{
    uint32_t max = request_bytes_default;

    for (size_t i = 0; i < index->count; i++) {
        const struct rpc_method *method = index->entries[i].method;

        if (method != NULL && method->request_bytes_max > max) {
            max = method->request_bytes_max;
        }
    }
    return max;
}
