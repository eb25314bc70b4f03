#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/ctx.h"
#include "store/db.h"
#include "store/pg_types_internal.h"

const struct params NO_PARAMS = {.count = 0};

/* The next parameter, NULL until it is given a value. */
static uint32_t next(struct params *p, uint32_t type)
{
    const uint32_t index = p->count;

    assert(index < PARAMS_MAX);
    p->types[index] = type;
    p->values[index] = NULL;
    p->lengths[index] = 0;
    p->count++;
    return index;
}

static void set(struct params *p, uint32_t index, const void *value, size_t len)
{
    assert(len <= INT32_MAX);
    p->values[index] = value;
    p->lengths[index] = (int)len;
}

static void set_number(struct params *p, uint32_t index, uint64_t big_endian, size_t len)
{
    p->scratch[index] = big_endian;
    set(p, index, &p->scratch[index], len);
}

void params_i64(struct params *p, int64_t value)
{
    set_number(p, next(p, PG_INT8), htobe64((uint64_t)value), sizeof value);
}

void params_i32(struct params *p, int32_t value)
{
    set_number(p, next(p, PG_INT4), htobe32((uint32_t)value), sizeof value);
}

void params_bool(struct params *p, bool value)
{
    const uint32_t index = next(p, PG_BOOL);

    memcpy(&p->scratch[index], &value, sizeof value);
    set(p, index, &p->scratch[index], sizeof value);
}

void params_text(struct params *p, const char *value)
{
    const uint32_t index = next(p, PG_TEXT);

    if (value != NULL) {
        set(p, index, value, strlen(value));
    }
}

void params_bytes(struct params *p, const void *bytes, size_t len)
{
    const uint32_t index = next(p, PG_BYTEA);

    if (bytes != NULL) {
        set(p, index, bytes, len);
    }
}

void params_id(struct params *p, const struct id *id)
{
    const uint32_t index = next(p, PG_UUID);

    if (!id_is_zero(id)) {
        set(p, index, id->bytes, sizeof id->bytes);
    }
}

void params_time(struct params *p, int64_t time_us)
{
    set_number(p, next(p, PG_TIMESTAMPTZ), htobe64((uint64_t)pg_time_of(time_us)), sizeof time_us);
}

void params_time_or_null(struct params *p, int64_t time_us)
{
    if (time_us == 0) {
        next(p, PG_TIMESTAMPTZ);
    } else {
        params_time(p, time_us);
    }
}

void params_i64_or_null(struct params *p, int64_t value, bool present)
{
    if (present) {
        params_i64(p, value);
    } else {
        next(p, PG_INT8);
    }
}

void params_json(struct params *p, const char *json)
{
    const uint32_t index = next(p, PG_JSONB);

    if (json != NULL) {
        set(p, index, json, strlen(json)); /* sent as text; see choose_formats() */
    }
}

void params_xid8(struct params *p, uint64_t xid)
{
    set_number(p, next(p, PG_XID8), htobe64(xid), sizeof xid);
}
