/* One-dimensional arrays in PostgreSQL's binary form:
 *
 *     dimensions, has-null flag, element type, [length, lower bound], {element length, element}...
 *
 * each a 32-bit number in network order, the element apart; a length of -1 is a NULL. */

#include <endian.h>
#include <string.h>

#include "base/ctx.h"
#include "store/db.h"
#include "store/pg_types_internal.h"

#define HEADER_BYTES 20
#define LENGTH_BYTES 4

struct writer {
    char *next; /* NULL: no memory; the arena has failed, and so will the statement */
};

static void put_i32(struct writer *writer, int32_t value)
{
    const uint32_t big_endian = htobe32((uint32_t)value);

    if (writer->next != NULL) {
        memcpy(writer->next, &big_endian, sizeof big_endian);
        writer->next += sizeof big_endian;
    }
}

static void put_i64(struct writer *writer, int64_t value)
{
    const uint64_t big_endian = htobe64((uint64_t)value);

    put_i32(writer, sizeof value);
    if (writer->next != NULL) {
        memcpy(writer->next, &big_endian, sizeof big_endian);
        writer->next += sizeof big_endian;
    }
}

static void put_bytes(struct writer *writer, const void *bytes, size_t len)
{
    if (writer->next != NULL && len > 0) {
        memcpy(writer->next, bytes, len);
        writer->next += len;
    }
}

/* Adds the parameter, with room for elements_bytes of elements. */
static struct writer begin(
    struct ctx *cx,
    struct params *p,
    uint32_t array_type,
    uint32_t element_type,
    size_t count,
    size_t elements_bytes)
{
    const size_t size = HEADER_BYTES + elements_bytes;
    struct writer writer = {.next = NULL};

    if (count <= INT32_MAX && size <= INT32_MAX) {
        writer.next = arena_try_alloc(cx->arena, size);
    } else {
        cx->arena->failed = true;
    }
    params_bytes(p, writer.next, writer.next == NULL ? 0 : size);
    p->types[p->count - 1] = array_type;
    put_i32(&writer, 1);
    put_i32(&writer, 1); /* there may be NULLs */
    put_i32(&writer, (int32_t)element_type);
    put_i32(&writer, (int32_t)count);
    put_i32(&writer, 1);
    return writer;
}

void params_i64_array(struct ctx *cx, struct params *p, const int64_t *values, size_t count)
{
    struct writer writer =
        begin(cx, p, PG_INT8_ARRAY, PG_INT8, count, count * (LENGTH_BYTES + sizeof values[0]));

    for (size_t i = 0; i < count; i++) {
        put_i64(&writer, values[i]);
    }
}

void params_i32_array(struct ctx *cx, struct params *p, const int32_t *values, size_t count)
{
    struct writer writer =
        begin(cx, p, PG_INT4_ARRAY, PG_INT4, count, count * (LENGTH_BYTES + sizeof values[0]));

    for (size_t i = 0; i < count; i++) {
        put_i32(&writer, sizeof values[0]);
        put_i32(&writer, values[i]);
    }
}

void params_time_array(struct ctx *cx, struct params *p, const int64_t *values, size_t count)
{
    struct writer writer = begin(
        cx,
        p,
        PG_TIMESTAMPTZ_ARRAY,
        PG_TIMESTAMPTZ,
        count,
        count * (LENGTH_BYTES + sizeof values[0]));

    for (size_t i = 0; i < count; i++) {
        put_i64(&writer, pg_time_of(values[i]));
    }
}

void params_id_array(struct ctx *cx, struct params *p, const struct id *values, size_t count)
{
    size_t present = 0;
    struct writer writer;

    for (size_t i = 0; i < count; i++) {
        present += id_is_zero(&values[i]) ? 0 : 1;
    }
    writer = begin(
        cx,
        p,
        PG_UUID_ARRAY,
        PG_UUID,
        count,
        count * LENGTH_BYTES + present * sizeof values[0].bytes);
    for (size_t i = 0; i < count; i++) {
        const bool null = id_is_zero(&values[i]);

        put_i32(&writer, null ? -1 : (int32_t)sizeof values[i].bytes);
        put_bytes(&writer, values[i].bytes, null ? 0 : sizeof values[i].bytes);
    }
}

static size_t texts_bytes(const char *const *values, size_t count, size_t prefix_bytes)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += LENGTH_BYTES + (values[i] == NULL ? 0 : prefix_bytes + strlen(values[i]));
    }
    return bytes;
}

void params_text_array(struct ctx *cx, struct params *p, const char *const *values, size_t count)
{
    struct writer writer =
        begin(cx, p, PG_TEXT_ARRAY, PG_TEXT, count, texts_bytes(values, count, 0));

    for (size_t i = 0; i < count; i++) {
        const size_t len = values[i] == NULL ? 0 : strlen(values[i]);

        put_i32(&writer, values[i] == NULL ? -1 : (int32_t)len);
        put_bytes(&writer, values[i], len);
    }
}

void params_json_array(struct ctx *cx, struct params *p, const char *const *values, size_t count)
{
    static const char version = PG_JSONB_VERSION;
    struct writer writer =
        begin(cx, p, PG_JSONB_ARRAY, PG_JSONB, count, texts_bytes(values, count, sizeof version));

    for (size_t i = 0; i < count; i++) {
        const size_t len = values[i] == NULL ? 0 : strlen(values[i]);

        put_i32(&writer, values[i] == NULL ? -1 : (int32_t)(len + sizeof version));
        if (values[i] != NULL) {
            put_bytes(&writer, &version, sizeof version);
            put_bytes(&writer, values[i], len);
        }
    }
}
