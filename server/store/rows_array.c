/* Reading one-dimensional arrays; see params_array.c for their form. */

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/ctx.h"
#include "store/db.h"
#include "store/pg_types_internal.h"
#include "store/rows_internal.h"

struct reader {
    const char *next;
    const char *end;
};

/* What the server sends is well-formed; a bug of ours must not read past the end all the same. */
static int32_t take_i32(struct reader *reader)
{
    uint32_t big_endian = 0;

    assert(reader->end - reader->next >= (ptrdiff_t)sizeof big_endian);
    memcpy(&big_endian, reader->next, sizeof big_endian);
    reader->next += sizeof big_endian;
    return (int32_t)be32toh(big_endian);
}

/* NULL for a NULL. */
static const char *take_element(struct reader *reader, size_t *ret_len)
{
    const int32_t len = take_i32(reader);
    const char *element = reader->next;

    *ret_len = 0;
    if (len < 0) {
        return NULL;
    }
    assert(reader->end - reader->next >= len);
    reader->next += len;
    *ret_len = (size_t)len;
    return element;
}

/* Reads the header; returns the number of elements. */
static size_t begin(
    const struct rows *rows,
    size_t row,
    int column,
    uint32_t element_type,
    struct reader *ret_reader)
{
    const struct field field = rows_field(rows, row, column);
    int32_t dimensions = 0;
    int32_t type = 0;
    int32_t count = 0;

    if (field.value == NULL) {
        return 0;
    }
    *ret_reader = (struct reader){field.value, field.value + field.len};
    dimensions = take_i32(ret_reader);
    take_i32(ret_reader);
    type = take_i32(ret_reader);
    assert(dimensions <= 1);
    assert((uint32_t)type == element_type);
    if (dimensions == 0) {
        return 0;
    }
    count = take_i32(ret_reader);
    take_i32(ret_reader);
    return (size_t)count;
}

size_t row_text_array(
    struct ctx *cx, const struct rows *rows, size_t row, int column, const char *const **ret_values)
{
    struct reader reader = {NULL, NULL};
    const size_t count = begin(rows, row, column, PG_TEXT, &reader);
    const char **values = arena_try_alloc(cx->arena, count * sizeof values[0]);

    *ret_values = values;
    for (size_t i = 0; values != NULL && i < count; i++) {
        size_t len = 0;
        const char *element = take_element(&reader, &len);

        values[i] = element == NULL ? "" : arena_text_n(cx->arena, element, len);
    }
    return values == NULL ? 0 : count;
}

size_t row_i64_array(
    struct ctx *cx, const struct rows *rows, size_t row, int column, const int64_t **ret_values)
{
    struct reader reader = {NULL, NULL};
    const size_t count = begin(rows, row, column, PG_INT8, &reader);
    int64_t *values = arena_try_alloc(cx->arena, count * sizeof values[0]);

    *ret_values = values;
    for (size_t i = 0; values != NULL && i < count; i++) {
        size_t len = 0;
        const char *element = take_element(&reader, &len);
        uint64_t big_endian = 0;

        memcpy(&big_endian, element == NULL ? "\0\0\0\0\0\0\0" : element, sizeof big_endian);
        values[i] = (int64_t)be64toh(big_endian);
    }
    return values == NULL ? 0 : count;
}

size_t row_id_array(
    struct ctx *cx, const struct rows *rows, size_t row, int column, const struct id **ret_values)
{
    struct reader reader = {NULL, NULL};
    const size_t count = begin(rows, row, column, PG_UUID, &reader);
    struct id *values = arena_try_alloc(cx->arena, count * sizeof values[0]);

    *ret_values = values;
    for (size_t i = 0; values != NULL && i < count; i++) {
        size_t len = 0;
        const char *element = take_element(&reader, &len);

        if (element != NULL) {
            memcpy(values[i].bytes, element, sizeof values[i].bytes);
        }
    }
    return values == NULL ? 0 : count;
}
