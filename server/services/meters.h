#pragma once

/* Meters: what turns events of usage into numbers. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/catalog_state.h"
#include "domain/meter.h"

struct ctx;
struct services;
struct tx;

/* Fails with FIELD_INVALID, METER_EXISTS, OBJECT_LIMIT_REACHED. */
struct status meters_create(
    struct ctx *cx, struct tx *tx, const struct meter *input, struct meter *ret_meter) MUST_CHECK;

/* Fails with METER_NOT_FOUND. */
struct status meters_get(
    struct ctx *cx, struct services *services, const char *key, struct meter *ret_meter) MUST_CHECK;

/* By key, those behind `after` (zero: from the first). */
struct status meters_list(
    struct ctx *cx,
    struct services *services,
    enum catalog_state state,
    const struct id *after,
    int32_t max,
    struct meter **ret_meters,
    size_t *ret_count) MUST_CHECK;

enum meter_field {
    METER_NAME = 1 << 0,
    METER_DESCRIPTION = 1 << 1,
    METER_UNIT = 1 << 2,
    METER_DIMENSIONS = 1 << 3,
    METER_DURABILITY = 1 << 4,
    METER_METADATA = 1 << 5,
};

struct meter_change {
    uint32_t fields;     /* which of the values count */
    struct meter values; /* its key names the meter */
    const char *etag;    /* "" = not checked */
};

/* Fails with METER_NOT_FOUND, METER_ARCHIVED, ETAG_MISMATCH, FIELD_INVALID. */
struct status meters_update(
    struct ctx *cx, struct tx *tx, const struct meter_change *change, struct meter *ret_meter)
    MUST_CHECK;

/* Twice is once. Fails with METER_NOT_FOUND, METER_IN_USE. */
struct status
meters_archive(struct ctx *cx, struct tx *tx, const char *key, struct meter *ret_meter) MUST_CHECK;

/* METER_ARCHIVED unless it is in use. */
struct status meters_check_active(struct ctx *cx, const struct meter *meter) MUST_CHECK;
