#include "domain/meter.h"

#include <string.h>

#include "domain/field_check.h"

static const char *const names[] = {
    [METER_SUM] = "SUM",
    [METER_COUNT] = "COUNT",
    [METER_MAX] = "MAX",
    [METER_UNIQUE_COUNT] = "UNIQUE_COUNT",
    [METER_LAST] = "LAST",
    [METER_TIME_WEIGHTED] = "TIME_WEIGHTED",
};

const char *meter_aggregation_name(enum meter_aggregation aggregation)
{
    return names[aggregation];
}

bool meter_aggregation_parse(const char *name, enum meter_aggregation *ret_aggregation)
{
    for (size_t i = METER_SUM; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_aggregation = (enum meter_aggregation)i;
            return true;
        }
    }
    return false;
}

struct status meter_check(struct ctx *cx, const char *path, const struct meter *meter)
{
    struct status result = STATUS_OK;
    const char *property = field_path(cx, path, "value_property");

    field_note(cx, &result, field_check_key(cx, field_path(cx, path, "meter_key"), meter->key));
    field_note(
        cx, &result, field_check_text(cx, field_path(cx, path, "name"), meter->name, 1, 100));
    field_note(
        cx,
        &result,
        field_check_text(cx, field_path(cx, path, "description"), meter->description, 0, 1000));
    field_note(
        cx, &result, field_check_text(cx, field_path(cx, path, "unit_name"), meter->unit, 0, 40));
    field_note(
        cx,
        &result,
        field_check_texts(
            cx,
            field_path(cx, path, "dimensions"),
            meter->dimensions,
            meter->dimension_count,
            METER_DIMENSIONS_MAX,
            64));
    /* What is counted is the quantity of each event: see services/usage.c. */
    if (meter->aggregation != METER_SUM && meter->aggregation != METER_COUNT) {
        field_note(
            cx,
            &result,
            status_field(
                cx,
                field_path(cx, path, "aggregation"),
                "%s is not supported yet, SUM and COUNT are",
                names[meter->aggregation]));
    }
    if (meter->value_property[0] != '\0') {
        field_note(
            cx,
            &result,
            status_field(cx, property, "is not supported yet: send the quantity itself"));
    }
    return result;
}
