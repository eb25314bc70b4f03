#pragma once

/* Meters and the usage that was sent to them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/object.h"

struct customer;
struct render;
struct sim;

/* So that usage times a price cannot overflow; also of one event. */
#define METER_USAGE_MAX INT64_C(1000000000)

enum meter_formula {
    FORMULA_SUM,
    FORMULA_COUNT,
    FORMULA_LAST
};

struct meter_event {
    const char *identifier;
    const char *customer_id;
    int64_t time_s;
    int64_t received_s;
    int64_t value;
};

struct meter {
    struct object object;
    const char *display_name;
    const char *event_name;
    const char *time_window; /* NULL, "day" or "hour" */
    const char *customer_key;
    const char *value_key;
    /* So that usage times a price cannot overflow; also of one event. */
#define METER_USAGE_MAX INT64_C(1000000000)

    enum meter_formula formula;
    bool active;
    int64_t updated_s;
    int64_t deactivated_s;
    struct meter_event *events;
    size_t event_count;
    size_t event_capacity;
};

void meter_add(struct sim *sim, struct meter *meter, struct meter_event event);

/* What the customer used from start up to, not including, end. */
int64_t meter_usage(
    const struct meter *meter, const struct customer *customer, int64_t start_s, int64_t end_s);

void meter_render(struct render *render, const struct object *object);
