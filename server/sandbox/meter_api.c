#include "sandbox/meter_api.h"

#include <string.h>

#include "base/ctx.h"
#include "base/str.h"
#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/meter.h"
#include "sandbox/param.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

/* Usage may be 35 days old and five minutes ahead; an identifier is remembered for a day. */
#define PAST_S (INT64_C(35) * 86400)
#define FUTURE_S 300
#define IDENTIFIER_S 86400

static const struct param create_params[] = {
    {"display_name", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"event_name", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"default_aggregation[formula]", PARAM_ENUM, PARAM_REQUIRED, "sum|count|last"},
    {"event_time_window", PARAM_ENUM, 0, "day|hour"},
    {"customer_mapping[event_payload_key]", PARAM_TEXT, 0, NULL},
    {"customer_mapping[type]", PARAM_ENUM, 0, "by_id"},
    {"value_settings[event_payload_key]", PARAM_TEXT, 0, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static struct meter *find_by_event_name(const struct call *call, const char *event_name)
{
    const struct object_list *meters = &call->account->lists[KIND_METER];

    for (size_t i = 0; i < meters->count; i++) {
        struct meter *meter = (struct meter *)meters->items[i];

        if (meter->active && strcmp(meter->event_name, event_name) == 0) {
            return meter;
        }
    }
    return NULL;
}

static bool meter_create(struct call *call)
{
    const char *formula = call_text(call, "default_aggregation[formula]");
    struct meter *meter = NULL;

    if (find_by_event_name(call, call_text(call, "event_name")) != NULL) {
        return call_fail(
            call,
            400,
            "resource_already_exists",
            "event_name",
            "An active meter with that event name exists already.");
    }
    meter = object_new(call->sim, call->account, KIND_METER, sizeof *meter, NULL);
    meter->formula = strcmp(formula, "sum") == 0     ? FORMULA_SUM
                     : strcmp(formula, "count") == 0 ? FORMULA_COUNT
                                                     : FORMULA_LAST;
    meter->customer_key = "stripe_customer_id";
    meter->value_key = "value";
    meter->active = true;
    meter->updated_s = call->sim->now_s;
    call_update_text(call, "display_name", &meter->display_name);
    call_update_text(call, "event_name", &meter->event_name);
    call_update_text(call, "event_time_window", &meter->time_window);
    call_update_text(call, "customer_mapping[event_payload_key]", &meter->customer_key);
    call_update_text(call, "value_settings[event_payload_key]", &meter->value_key);
    event_emit(call->sim, "billing.meter.created", meter, NULL);
    return call_reply(call, meter);
}

static bool meter_retrieve(struct call *call)
{
    struct meter *meter = NULL;

    return call_find_path(call, KIND_METER, &meter) && call_reply(call, meter);
}

static const struct param list_params[] = {
    {"status", PARAM_ENUM, 0, "active|inactive"},
    PARAMS_LIST,
    PARAM_END,
};

static bool match(const struct call *call, const struct object *object)
{
    const struct meter *meter = (const struct meter *)object;

    return list_text_matches(call, "status", meter->active ? "active" : "inactive");
}

static bool meter_list(struct call *call)
{
    return list_reply(call, KIND_METER, match);
}

static bool set_active(struct call *call, bool active)
{
    struct meter *meter = NULL;
    const char *before = NULL;

    if (!call_find_path(call, KIND_METER, &meter)) {
        return false;
    }
    if (meter->active == active) {
        return call_fail(
            call, 400, NULL, NULL, "The meter is already %s.", active ? "active" : "inactive");
    }
    before = event_snapshot(call->sim, meter);
    meter->active = active;
    meter->updated_s = call->sim->now_s;
    meter->deactivated_s = active ? 0 : call->sim->now_s;
    event_emit(
        call->sim,
        active ? "billing.meter.reactivated" : "billing.meter.deactivated",
        meter,
        before);
    return call_reply(call, meter);
}

static bool meter_deactivate(struct call *call)
{
    return set_active(call, false);
}

static bool meter_reactivate(struct call *call)
{
    return set_active(call, true);
}

static const struct param event_params[] = {
    {"event_name", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"payload[*]", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"identifier", PARAM_TEXT, 0, NULL},
    {"timestamp", PARAM_INT, 0, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static bool check_event(struct call *call, const struct meter *meter, int64_t time_s)
{
    const char *identifier = call_text(call, "identifier");

    if (time_s < call->sim->now_s - PAST_S || time_s > call->sim->now_s + FUTURE_S) {
        return call_fail(
            call,
            400,
            NULL,
            "timestamp",
            "The timestamp must be within the past 35 calendar days or up to 5 minutes in the "
            "future.");
    }
    for (size_t i = meter == NULL ? 0 : meter->event_count; identifier != NULL && i > 0; i--) {
        const struct meter_event *event = &meter->events[i - 1];

        if (event->received_s >= call->sim->now_s - IDENTIFIER_S &&
            strcmp(event->identifier, identifier) == 0) {
            return call_fail(
                call,
                400,
                NULL,
                "identifier",
                "An event already exists with identifier %s.",
                identifier);
        }
    }
    return true;
}

static void render_event(struct call *call, const struct meter_event *event)
{
    struct render render;
    struct json_writer *w = &render.writer;

    render_begin(&render, call->sim, &call->body, NULL);
    json_open_object(w, NULL);
    json_put_text(w, "object", "billing.meter_event");
    json_put_i64(w, "created", event->received_s);
    json_put_text(w, "event_name", call_text(call, "event_name"));
    json_put_text(w, "identifier", event->identifier);
    json_put_bool(w, "livemode", false);
    json_open_object(w, "payload");
    for (size_t i = 0; i < call->form.count; i++) {
        const char *key = form_member(call->cx->arena, &call->form.pairs[i], "payload");

        if (key != NULL) {
            json_put_text(w, key, call->form.pairs[i].value);
        }
    }
    json_close_object(w);
    json_put_i64(w, "timestamp", event->time_s);
    json_close_object(w);
    call->status = 200;
}

/* What is wrong with an event that could be read comes out later and elsewhere, never here. */
static bool event_create(struct call *call)
{
    struct sim *sim = call->sim;
    struct meter *meter = find_by_event_name(call, call_text(call, "event_name"));
    const int64_t time_s = call_i64(call, "timestamp", sim->now_s);
    struct meter_event event = {.time_s = time_s, .received_s = sim->now_s};
    long long value = 0;

    if (!check_event(call, meter, time_s)) {
        return false;
    }
    event.identifier = call_text(call, "identifier") == NULL
                           ? sim_draw_id(sim, "")
                           : sim_text(sim, call_text(call, "identifier"));
    if (meter != NULL) {
        const char *customer = form_getf(&call->form, "payload[%s]", meter->customer_key);
        const char *text = form_getf(&call->form, "payload[%s]", meter->value_key);

        if (customer != NULL && object_find(sim, call->account, KIND_CUSTOMER, customer) != NULL &&
            (meter->formula == FORMULA_COUNT ||
             (text != NULL && str_to_i64(str_of(text), &value) && value >= -METER_USAGE_MAX &&
              value <= METER_USAGE_MAX))) {
            event.customer_id = sim_text(sim, customer);
            event.value = value;
            meter_add(sim, meter, event);
        }
    }
    render_event(call, &event);
    return true;
}

static const struct param summary_params[] = {
    {"customer", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"start_time", PARAM_INT, PARAM_REQUIRED, NULL},
    {"end_time", PARAM_INT, PARAM_REQUIRED, NULL},
    {"value_grouping_window", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_LIST,
    PARAM_END,
};

static bool summary_list(struct call *call)
{
    const int64_t start_s = call_i64(call, "start_time", 0);
    const int64_t end_s = call_i64(call, "end_time", 0);
    struct meter *meter = NULL;
    struct customer *customer = NULL;
    struct render render;

    if (!call_find_path(call, KIND_METER, &meter) ||
        !call_find(call, KIND_CUSTOMER, "customer", &customer)) {
        return false;
    }
    if (start_s % 60 != 0 || end_s % 60 != 0 || start_s >= end_s) {
        return call_fail(
            call, 400, NULL, "start_time", "The times must be aligned with minute boundaries.");
    }
    render_begin(&render, call->sim, &call->body, NULL);
    render_list_open(&render, NULL);
    json_open_object(&render.writer, NULL);
    json_put_text(&render.writer, "id", "mtrusg_simulated");
    json_put_text(&render.writer, "object", "billing.meter_event_summary");
    json_put_i64(&render.writer, "aggregated_value", meter_usage(meter, customer, start_s, end_s));
    json_put_i64(&render.writer, "end_time", end_s);
    json_put_bool(&render.writer, "livemode", false);
    json_put_text(&render.writer, "meter", meter->object.id);
    json_put_i64(&render.writer, "start_time", start_s);
    json_close_object(&render.writer);
    render_list_close(&render, false, "/v1/billing/meters/event_summaries");
    call->status = 200;
    return true;
}

const struct endpoint meter_api[] = {
    {"POST", "/v1/billing/meters", meter_create, create_params, KIND_METER, 0},
    {"GET", "/v1/billing/meters", meter_list, list_params, KIND_METER, ENDPOINT_LIST},
    {"GET", "/v1/billing/meters/{}", meter_retrieve, NULL, KIND_METER, 0},
    {"POST", "/v1/billing/meters/{}/deactivate", meter_deactivate, NULL, KIND_METER, 0},
    {"POST", "/v1/billing/meters/{}/reactivate", meter_reactivate, NULL, KIND_METER, 0},
    {"GET",
     "/v1/billing/meters/{}/event_summaries",
     summary_list,
     summary_params,
     KIND_NONE,
     ENDPOINT_LIST},
    {"POST", "/v1/billing/meter_events", event_create, event_params, KIND_NONE, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
