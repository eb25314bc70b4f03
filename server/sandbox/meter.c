#include "sandbox/meter.h"

#include <string.h>

#include "sandbox/customer.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

void meter_add(struct sim *sim, struct meter *meter, struct meter_event event)
{
    if (meter->event_count == meter->event_capacity) {
        const size_t capacity = meter->event_capacity == 0 ? 16 : meter->event_capacity * 2;
        struct meter_event *events = sim_alloc(sim, capacity * sizeof *events);

        if (meter->event_count > 0) {
            memcpy(events, meter->events, meter->event_count * sizeof *events);
        }
        meter->events = events;
        meter->event_capacity = capacity;
    }
    meter->events[meter->event_count++] = event;
}

int64_t meter_usage(
    const struct meter *meter, const struct customer *customer, int64_t start_s, int64_t end_s)
{
    int64_t usage = 0;

    for (size_t i = 0; i < meter->event_count; i++) {
        const struct meter_event *event = &meter->events[i];

        if (event->time_s < start_s || event->time_s >= end_s ||
            strcmp(event->customer_id, customer->object.id) != 0) {
            continue;
        }
        switch (meter->formula) {
        case FORMULA_SUM:
            usage += event->value;
            break;
        case FORMULA_COUNT:
            usage++;
            break;
        case FORMULA_LAST:
            usage = event->value;
            break;
        }
    }
    if (usage > METER_USAGE_MAX) {
        return METER_USAGE_MAX;
    }
    return usage < 0 ? 0 : usage;
}

void meter_render(struct render *render, const struct object *object)
{
    static const char *const formulas[] = {"sum", "count", "last"};
    const struct meter *meter = (const struct meter *)object;
    struct json_writer *w = &render->writer;

    json_put_i64(w, "created", object->created_s);
    json_open_object(w, "customer_mapping");
    json_put_text(w, "event_payload_key", meter->customer_key);
    json_put_text(w, "type", "by_id");
    json_close_object(w);
    json_open_object(w, "default_aggregation");
    json_put_text(w, "formula", formulas[meter->formula]);
    json_close_object(w);
    json_put_text(w, "display_name", meter->display_name);
    json_put_text(w, "event_name", meter->event_name);
    json_put_text(w, "event_time_window", meter->time_window);
    json_put_bool(w, "livemode", false);
    json_put_text(w, "status", meter->active ? "active" : "inactive");
    json_open_object(w, "status_transitions");
    render_i64_or_null(render, "deactivated_at", meter->deactivated_s);
    json_close_object(w);
    json_put_i64(w, "updated", meter->updated_s);
    json_open_object(w, "value_settings");
    json_put_text(w, "event_payload_key", meter->value_key);
    json_close_object(w);
}
