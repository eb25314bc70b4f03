#pragma once

/* The binary forms of PostgreSQL's types that params and rows share. The numbers of types are part
 * of PostgreSQL's protocol and never change.
 * Private to store/. */

#include <stdint.h>

struct params;

#define PG_BOOL 16
#define PG_BYTEA 17
#define PG_CHAR 18 /* "char" */
#define PG_NAME 19
#define PG_INT8 20
#define PG_INT2 21
#define PG_INT4 23
#define PG_TEXT 25
#define PG_OID 26
#define PG_JSON 114
#define PG_XID8 5069
#define PG_BPCHAR 1042
#define PG_VARCHAR 1043
#define PG_TIMESTAMPTZ 1184
#define PG_UUID 2950
#define PG_JSONB 3802
#define PG_ENUM_MIN                                                              \
    16384 /* types of the schema itself: enums, whose binary form is their label \
           */

#define PG_INT4_ARRAY 1007
#define PG_TEXT_ARRAY 1009
#define PG_INT8_ARRAY 1016
#define PG_TIMESTAMPTZ_ARRAY 1185
#define PG_UUID_ARRAY 2951
#define PG_JSONB_ARRAY 3807
#define PG_BOOL_ARRAY 1000
#define PG_VARCHAR_ARRAY 1015

#define PG_JSONB_VERSION 1

/* PostgreSQL counts microseconds from 2000-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

/* INT64_MAX and INT64_MIN are its infinity and -infinity, and ours too. Finite times that do not
 * fit are moved to the nearest one that does; the server refuses those outside of its calendar. */
static inline int64_t pg_time_of(int64_t time_us)
{
    if (time_us == INT64_MAX || time_us == INT64_MIN) {
        return time_us;
    }
    return time_us < INT64_MIN + 1 + PG_EPOCH_US ? INT64_MIN + 1 : time_us - PG_EPOCH_US;
}

static inline int64_t pg_time_us(int64_t pg_time)
{
    if (pg_time == INT64_MAX || pg_time == INT64_MIN) {
        return pg_time;
    }
    return pg_time > INT64_MAX - 1 - PG_EPOCH_US ? INT64_MAX - 1 : pg_time + PG_EPOCH_US;
}

/* A transaction id, as the event log compares them. */
void params_xid8(struct params *p, uint64_t xid);
