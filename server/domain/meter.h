#pragma once

/* What turns events of usage into one number. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"

struct ctx;

#define METERS_MAX 1000 /* live ones of one organisation */
#define METER_DIMENSIONS_MAX 10

/* The numbers are those of billingos.v1.MeterAggregation. */
enum meter_aggregation {
    METER_SUM = 1,
    METER_COUNT = 2,
    METER_MAX = 3,
    METER_UNIQUE_COUNT = 4,
    METER_LAST = 5,
    METER_TIME_WEIGHTED = 6,
};

const char *meter_aggregation_name(enum meter_aggregation aggregation);
bool meter_aggregation_parse(const char *name, enum meter_aggregation *ret_aggregation);

struct meter {
    struct id meter_id;
    int32_t meter_no; /* given by the database: the short form for the usage tables */
    const char *key;
    const char *name;
    const char *description;
    enum meter_aggregation aggregation;
    const char *value_property; /* "" = the quantity of the event */
    const char *unit;
    const char *const *dimensions;
    size_t dimension_count;
    bool async;                  /* events may be acknowledged before they are on disk */
    const char *metadata;        /* a JSON object of texts */
    const char *stripe_meter_id; /* "" = not made at the payment side */
    int64_t version;
    int64_t created_us;
    int64_t updated_us;
    int64_t archived_us; /* 0: in use */
};

/* What the merchant gives. path: "meter", for the violations. Fails with FIELD_INVALID. */
struct status meter_check(struct ctx *cx, const char *path, const struct meter *meter) MUST_CHECK;
