#include "handlers/usage_handler.h"

#include <billingos/v1/usage_service.pb-c.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "handlers/entitlement_answer.h"
#include "handlers/item_error.h"
#include "handlers/pb.h"
#include "services/usage.h"

#define EVENT_ID_BYTES_MAX 128
#define SOURCE_BYTES_MAX 64
#define EXTERNAL_ID_BYTES_MAX 255
#define PROPERTIES_MAX 20
#define PROPERTY_KEY_BYTES_MAX 64
#define PROPERTY_VALUE_BYTES_MAX 256

static struct status
read_quantity(struct ctx *cx, const Billingos__V1__UsageEvent *event, int64_t *ret_quantity)
{
    char text[24];

    *ret_quantity = event->_quantity_case == BILLINGOS__V1__USAGE_EVENT___QUANTITY_QUANTITY
                        ? event->quantity
                        : 1;
    snprintf(text, sizeof text, "%" PRId64, *ret_quantity);
    if (*ret_quantity < 0) {
        return status_pair(
            cx,
            status_fail(cx, REASON_QUANTITY_NEGATIVE, "quantity is negative: %s", text),
            "quantity",
            text);
    }
    if (*ret_quantity > USAGE_QUANTITY_MAX) {
        return status_pair(
            cx,
            status_fail(
                cx,
                REASON_QUANTITY_OVERFLOW,
                "quantity is %s, at most %" PRId64 " are allowed",
                text,
                USAGE_QUANTITY_MAX),
            "quantity",
            text);
    }
    return STATUS_OK;
}

static struct status
read_customer(struct ctx *cx, const Billingos__V1__UsageEvent *event, struct usage_report *report)
{
    struct id *customer_id = NULL;

    switch (event->customer_case) {
    case BILLINGOS__V1__USAGE_EVENT__CUSTOMER_CUSTOMER_ID:
        customer_id = ARENA_NEW(cx->arena, struct id);
        TRY(pb_read_id(cx, "customer_id", ID_CUSTOMER, event->customer_id, customer_id));
        report->customer.customer_id = customer_id;
        return STATUS_OK;
    case BILLINGOS__V1__USAGE_EVENT__CUSTOMER_EXTERNAL_CUSTOMER_ID:
        report->customer.external_id = event->external_customer_id;
        return pb_check_text(
            cx, "external_customer_id", event->external_customer_id, 1, EXTERNAL_ID_BYTES_MAX);
    default:
        return status_field(
            cx, "customer", "one of customer_id and external_customer_id is required");
    }
}

static struct status
read_properties(struct ctx *cx, const Billingos__V1__UsageEvent *event, const char **ret_properties)
{
    static const struct pb_map_limits limits = {
        .entries_max = PROPERTIES_MAX,
        .key_bytes_max = PROPERTY_KEY_BYTES_MAX,
        .value_bytes_max = PROPERTY_VALUE_BYTES_MAX,
    };

    *ret_properties = NULL;
    if (event->n_properties == 0) {
        return STATUS_OK;
    }
    return pb_read_limited_map(
        cx, "properties", &limits, event->n_properties, event->properties, ret_properties);
}

static struct status
read_event(struct ctx *cx, const Billingos__V1__UsageEvent *event, struct usage_report *report)
{
    *report = (struct usage_report){
        .event_id = event->event_id, .source = event->source, .meter_key = event->meter_key};
    TRY(pb_check_text(cx, "event_id", event->event_id, 1, EVENT_ID_BYTES_MAX));
    TRY(pb_check_text(cx, "source", event->source, 0, SOURCE_BYTES_MAX));
    TRY(read_customer(cx, event, report));
    TRY(pb_check_key(cx, "meter_key", event->meter_key));
    TRY(read_quantity(cx, event, &report->quantity));
    report->has_time = event->event_time != NULL;
    TRY(pb_read_time(cx, "event_time", event->event_time, &report->event_us));
    if (event->entity_id[0] != '\0') {
        return status_field(cx, "entity_id", "is not supported yet");
    }
    return read_properties(cx, event, &report->properties);
}

static Billingos__V1__ReportUsageResult *
result_pb(struct ctx *cx, const struct usage_result *result)
{
    Billingos__V1__ReportUsageResult *message =
        PB_NEW(cx, Billingos__V1__ReportUsageResult, billingos__v1__report_usage_result__init);

    if (result->error.code != CODE_OK) {
        message->result_case = BILLINGOS__V1__REPORT_USAGE_RESULT__RESULT_ERROR;
        message->error = item_error_pb(cx, result->error);
    } else {
        message->result_case = BILLINGOS__V1__REPORT_USAGE_RESULT__RESULT_OUTCOME;
        message->outcome = (Billingos__V1__UsageOutcome)result->outcome;
    }
    return message;
}

struct status usage_report_events(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ReportUsageRequest *request =
        PB_REQUEST(Billingos__V1__ReportUsageRequest, req);
    Billingos__V1__ReportUsageResponse *response =
        PB_NEW(cx, Billingos__V1__ReportUsageResponse, billingos__v1__report_usage_response__init);
    const size_t count = request->n_events;
    struct usage_report *reports = NULL;
    struct usage_result *results = NULL;

    if (!cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    if (count == 0) {
        return status_field(cx, "events", "is required: 1 to %d of them", USAGE_EVENTS_MAX);
    }
    TRY(pb_check_count(cx, "events", count, USAGE_EVENTS_MAX));
    if (request->include_answers) {
        return status_field(cx, "include_answers", "is not supported yet");
    }
    reports = arena_try_alloc(cx->arena, count * sizeof *reports);
    results = arena_try_alloc(cx->arena, count * sizeof *results);
    response->results =
        arena_try_alloc(cx->arena, count * sizeof(Billingos__V1__ReportUsageResult *));
    if (reports == NULL || results == NULL || response->results == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        results[i].error = read_event(cx, request->events[i], &reports[i]);
    }
    TRY(usage_report(cx, services, reports, count, results));
    for (size_t i = 0; i < count; i++) {
        response->results[response->n_results++] = result_pb(cx, &results[i]);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static Billingos__V1__UsageWindow *window_pb(struct ctx *cx, struct usage_reading *reading)
{
    Billingos__V1__UsageWindow *message =
        PB_NEW(cx, Billingos__V1__UsageWindow, billingos__v1__usage_window__init);

    message->meter_key = pb_text(reading->meter_key);
    message->feature_key = pb_text(reading->feature_key);
    message->start_time = pb_time(cx, reading->window.start_us);
    if (reading->window.end_us != INT64_MAX) {
        message->end_time = pb_time(cx, reading->window.end_us);
    }
    message->used = reading->used;
    message->reserved = reading->reserved;
    message->event_count = reading->events;
    message->last_event_time = pb_time(cx, reading->last_event_us);
    if (reading->answer.known) {
        message->balance = entitlement_balance_pb(cx, &reading->answer);
    }
    return message;
}

static struct status read_get(
    struct ctx *cx,
    const Billingos__V1__GetUsageRequest *request,
    struct id *customer_id,
    struct customer_ref *ret_customer)
{
    if (request->at_time != NULL) {
        return status_field(cx, "at_time", "is not supported yet: leave it out for now");
    }
    if (request->entity_id[0] != '\0') {
        return status_field(cx, "entity_id", "is not supported yet");
    }
    if (request->meter_key[0] != '\0') {
        TRY(pb_check_key(cx, "meter_key", request->meter_key));
    }
    switch (request->customer_case) {
    case BILLINGOS__V1__GET_USAGE_REQUEST__CUSTOMER_CUSTOMER_ID:
        TRY(pb_read_id(cx, "customer_id", ID_CUSTOMER, request->customer_id, customer_id));
        ret_customer->customer_id = customer_id;
        return STATUS_OK;
    case BILLINGOS__V1__GET_USAGE_REQUEST__CUSTOMER_EXTERNAL_CUSTOMER_ID:
        ret_customer->external_id = request->external_customer_id;
        return pb_check_text(
            cx, "external_customer_id", request->external_customer_id, 1, EXTERNAL_ID_BYTES_MAX);
    default:
        return status_field(
            cx, "customer", "one of customer_id and external_customer_id is required");
    }
}

struct status usage_get_windows(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetUsageRequest *request = PB_REQUEST(Billingos__V1__GetUsageRequest, req);
    Billingos__V1__GetUsageResponse *response =
        PB_NEW(cx, Billingos__V1__GetUsageResponse, billingos__v1__get_usage_response__init);
    struct customer_ref customer = {NULL, NULL};
    struct usage_listing listing;
    struct id customer_id;

    TRY(read_get(cx, request, &customer_id, &customer));
    TRY(usage_get(cx, services, &customer, request->meter_key, &listing));
    response->windows =
        arena_try_alloc(cx->arena, (listing.count + 1) * sizeof(Billingos__V1__UsageWindow *));
    if (response->windows == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < listing.count; i++) {
        response->windows[response->n_windows++] = window_pb(cx, &listing.readings[i]);
    }
    response->customer_id = pb_id(cx, ID_CUSTOMER, &listing.customer_id);
    response->state_version = listing.state_version;
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
