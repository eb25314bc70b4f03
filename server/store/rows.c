#include <assert.h>
#include <endian.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/ctx.h"
#include "store/db.h"
#include "store/pg_types_internal.h"
#include "store/rows_internal.h"

/* struct rows is never defined: it is libpq's result under our name, so that there is nothing to
 * allocate around it. */
struct rows *rows_of(PGresult *result)
{
    return (struct rows *)result;
}

static const PGresult *result_of(const struct rows *rows)
{
    return (const PGresult *)rows;
}

void rows_release(struct rows **rows)
{
    PQclear((PGresult *)*rows);
    *rows = NULL;
}

size_t rows_count(const struct rows *rows)
{
    return (size_t)PQntuples(result_of(rows));
}

bool row_is_null(const struct rows *rows, size_t row, int column)
{
    assert(row < rows_count(rows));
    assert(column >= 0);
    assert(column < PQnfields(result_of(rows)));
    return PQgetisnull(result_of(rows), (int)row, column) == 1;
}

struct field rows_field(const struct rows *rows, size_t row, int column)
{
    if (row_is_null(rows, row, column)) {
        return (struct field){.value = NULL};
    }
    return (struct field){
        .value = PQgetvalue(result_of(rows), (int)row, column),
        .len = (size_t)PQgetlength(result_of(rows), (int)row, column),
        .type = PQftype(result_of(rows), column),
    };
}

static int64_t read_i64(const char *value)
{
    uint64_t big_endian = 0;

    memcpy(&big_endian, value, sizeof big_endian);
    return (int64_t)be64toh(big_endian);
}

static int32_t read_i32(const char *value)
{
    uint32_t big_endian = 0;

    memcpy(&big_endian, value, sizeof big_endian);
    return (int32_t)be32toh(big_endian);
}

static int16_t read_i16(const char *value)
{
    uint16_t big_endian = 0;

    memcpy(&big_endian, value, sizeof big_endian);
    return (int16_t)be16toh(big_endian);
}

int64_t row_i64(const struct rows *rows, size_t row, int column)
{
    const struct field field = rows_field(rows, row, column);

    if (field.value == NULL) {
        return 0;
    }
    switch (field.type) {
    case PG_INT8:
    case PG_XID8:
        return read_i64(field.value);
    case PG_INT4:
        return read_i32(field.value);
    case PG_OID:
        return (uint32_t)read_i32(field.value);
    default:
        assert(field.type == PG_INT2);
        return read_i16(field.value);
    }
}

bool row_bool(const struct rows *rows, size_t row, int column)
{
    const struct field field = rows_field(rows, row, column);

    assert(field.value == NULL || field.type == PG_BOOL);
    return field.value != NULL && field.value[0] != 0;
}

int64_t row_time(const struct rows *rows, size_t row, int column)
{
    const struct field field = rows_field(rows, row, column);

    assert(field.value == NULL || field.type == PG_TIMESTAMPTZ);
    return field.value == NULL ? 0 : pg_time_us(read_i64(field.value));
}

struct id row_id(const struct rows *rows, size_t row, int column)
{
    const struct field field = rows_field(rows, row, column);
    struct id id = {{0}};

    assert(field.value == NULL || field.type == PG_UUID);
    if (field.value != NULL) {
        memcpy(id.bytes, field.value, sizeof id.bytes);
    }
    return id;
}

static bool is_text(uint32_t type)
{
    return type == PG_TEXT || type == PG_VARCHAR || type == PG_BPCHAR || type == PG_NAME ||
           type == PG_CHAR || type == PG_JSON || type == PG_JSONB || type >= PG_ENUM_MIN;
}

const char *row_text(struct ctx *cx, const struct rows *rows, size_t row, int column)
{
    struct field field = rows_field(rows, row, column);

    if (field.value == NULL) {
        return "";
    }
    assert(is_text(field.type));
    if (field.type == PG_JSONB) {
        assert(field.value[0] == PG_JSONB_VERSION);
        field.value++;
        field.len--;
    }
    return arena_text_n(cx->arena, field.value, field.len);
}

const uint8_t *
row_bytes(struct ctx *cx, const struct rows *rows, size_t row, int column, size_t *ret_len)
{
    const struct field field = rows_field(rows, row, column);

    const char *copy = "";

    assert(field.value == NULL || field.type == PG_BYTEA);
    if (field.value != NULL) {
        copy = arena_text_n(cx->arena, field.value, field.len);
    }
    /* A failed arena hands out less than was asked for. */
    *ret_len = field.value == NULL || arena_failed(cx->arena) ? 0 : field.len;
    return (const uint8_t *)copy;
}
