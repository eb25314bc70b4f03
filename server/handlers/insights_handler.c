#include "handlers/insights_handler.h"

#include <billingos/v1/insights_service.pb-c.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/heap.h"
#include "handlers/event_pb.h"
#include "handlers/page_token.h"
#include "handlers/pb.h"
#include "rpc/rpc_method.h"
#include "services/entitlements.h"
#include "services/services.h"
#include "services/watch.h"

#define TYPES_MAX 100
#define EXTERNAL_ID_BYTES_MAX 255

struct watch_source {
    struct rpc_source base;
    struct services *services;
    struct watch *watch;
    struct caller caller;
    uint8_t filter[SHA256_SIZE]; /* tokens are bound to it */
};

static struct str filter_of(const struct watch_source *source)
{
    return (struct str){(const char *)source->filter, sizeof source->filter};
}

static void wake(void *user)
{
    struct rpc_waker *waker = user;

    waker->wake(waker);
}

static int64_t as_of(const struct ctx *cx, const struct services *services)
{
    int64_t as_of_us = 0;

    return entitlements_followed(services, &as_of_us) ? as_of_us : cx->now_us;
}

static Billingos__V1__WatchInsightsResponse *response_of(
    struct ctx *cx,
    struct watch_source *source,
    enum watch_next kind,
    const struct event *event,
    int64_t seq)
{
    Billingos__V1__WatchInsightsResponse *response = PB_NEW(
        cx, Billingos__V1__WatchInsightsResponse, billingos__v1__watch_insights_response__init);

    if (kind == WATCH_EVENT) {
        response->message_case = BILLINGOS__V1__WATCH_INSIGHTS_RESPONSE__MESSAGE_EVENT;
        response->event = event_pb(cx, event);
    } else if (kind == WATCH_READY) {
        response->message_case = BILLINGOS__V1__WATCH_INSIGHTS_RESPONSE__MESSAGE_READY;
        response->ready = PB_NEW(cx, Billingos__V1__FeedReady, billingos__v1__feed_ready__init);
        response->ready->sequence = seq;
        response->ready->as_of_time = pb_time(cx, as_of(cx, source->services));
    } else {
        response->message_case = BILLINGOS__V1__WATCH_INSIGHTS_RESPONSE__MESSAGE_HEARTBEAT;
        response->heartbeat = PB_NEW(cx, Billingos__V1__Heartbeat, billingos__v1__heartbeat__init);
        response->heartbeat->as_of_time = pb_time(cx, as_of(cx, source->services));
    }
    response->resume_token =
        pb_text(resume_token_write(cx, source->services, filter_of(source), seq));
    return response;
}

static enum rpc_next watch_source_next(
    struct rpc_source *base,
    struct ctx *cx,
    ProtobufCMessage **ret_message,
    struct status *ret_status)
{
    struct watch_source *source = (struct watch_source *)(void *)base;
    enum watch_next kind = WATCH_PENDING;
    struct event event;
    int64_t seq = 0;

    cx->caller = source->caller;
    *ret_status = watch_next(cx, source->watch, &kind, &event, &seq);
    if (ret_status->code != CODE_OK) {
        return RPC_NEXT_END;
    }
    if (kind == WATCH_PENDING) {
        return RPC_NEXT_PENDING;
    }
    *ret_message = PB_ANSWER(response_of(cx, source, kind, &event, seq));
    return RPC_NEXT_READY;
}

static void watch_source_close(struct rpc_source *base)
{
    struct watch_source *source = (struct watch_source *)(void *)base;

    watch_close(source->watch);
    heap_free(source);
}

static struct status
read_types(struct ctx *cx, const Billingos__V1__WatchInsightsRequest *request, uint64_t *ret_types)
{
    *ret_types = 0;
    TRY(pb_check_count(cx, "types", request->n_types, TYPES_MAX));
    for (size_t i = 0; i < request->n_types; i++) {
        if (request->types[i] ==
            BILLINGOS__V1__BILLING_EVENT_TYPE__BILLING_EVENT_TYPE_UNSPECIFIED) {
            return status_field(cx, "types", "UNSPECIFIED is not a type");
        }
        *ret_types |= event_type_bit(request->types[i]);
    }
    if (request->n_types > 0 && *ret_types == 0) {
        return status_field(cx, "types", "none of these types is raised by this version yet");
    }
    return STATUS_OK;
}

static struct status read_customers(
    struct ctx *cx,
    struct services *services,
    const Billingos__V1__WatchInsightsRequest *request,
    struct watch_filter *filter)
{
    struct id *customers = NULL;
    const size_t count = request->n_customer_ids + request->n_external_customer_ids;

    TRY(pb_check_count(cx, "customer_ids and external_customer_ids", count, WATCH_CUSTOMERS_MAX));
    customers = arena_try_alloc(cx->arena, (count + 1) * sizeof *customers);
    if (customers == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < request->n_customer_ids; i++) {
        TRY(pb_read_id(cx, "customer_ids", ID_CUSTOMER, request->customer_ids[i], &customers[i]));
    }
    for (size_t i = 0; i < request->n_external_customer_ids; i++) {
        const struct customer_ref customer = {NULL, request->external_customer_ids[i]};

        TRY(pb_check_text(
            cx, "external_customer_ids", customer.external_id, 1, EXTERNAL_ID_BYTES_MAX));

        TRY(entitlements_resolve(cx, services, &customer, &customers[request->n_customer_ids + i]));
    }
    filter->customer_count = count;
    filter->customers = customers;
    return STATUS_OK;
}

static int by_number(const void *a, const void *b)
{
    const Billingos__V1__BillingEventType *left = a;
    const Billingos__V1__BillingEventType *right = b;

    return (*left > *right) - (*left < *right);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A sorted copy: the order in which a filter names things does not matter. */
static void *sorted(
    struct ctx *cx,
    const void *items,
    size_t count,
    size_t size,
    int (*compare)(const void *a, const void *b))
{
    void *copy = arena_try_alloc(cx->arena, (count + 1) * size);

    if (copy != NULL && count > 0) {
        memcpy(copy, items, count * size);
        qsort(copy, count, size, compare);
    }
    return copy;
}

/* What the request says, and not what it means today: a customer who takes over an own id, or a
 * type that only a later version knows, makes no other filter of it. */
static struct status digest_filter(
    struct ctx *cx,
    const Billingos__V1__WatchInsightsRequest *request,
    uint8_t ret_digest[SHA256_SIZE])
{
    Billingos__V1__WatchInsightsRequest filter = *request;
    uint8_t *bytes = NULL;

    filter.base.n_unknown_fields = 0;
    filter.types =
        sorted(cx, request->types, request->n_types, sizeof request->types[0], by_number);
    filter.customer_ids =
        sorted(cx, request->customer_ids, request->n_customer_ids, sizeof(char *), by_text);
    filter.external_customer_ids = sorted(
        cx,
        request->external_customer_ids,
        request->n_external_customer_ids,
        sizeof(char *),
        by_text);
    filter.resume_token = pb_text("");
    bytes = arena_try_alloc(
        cx->arena, billingos__v1__watch_insights_request__get_packed_size(request) + 1);
    if (bytes == NULL || arena_failed(cx->arena)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    sha256(bytes, billingos__v1__watch_insights_request__pack(&filter, bytes), ret_digest);
    return STATUS_OK;
}

static struct status
refuse_unsupported(struct ctx *cx, const Billingos__V1__WatchInsightsRequest *request)
{
    if (request->n_plan_ids > 0) {
        return status_field(cx, "plan_ids", "is not supported yet");
    }
    if (request->start_time != NULL) {
        return status_field(cx, "start_time", "is not supported yet: use a resume_token");
    }
    if (request->include_open_insights) {
        return status_field(cx, "include_open_insights", "is not supported yet");
    }
    return STATUS_OK;
}

struct status insights_watch(
    struct ctx *cx,
    void *services,
    const ProtobufCMessage *req,
    struct rpc_waker *waker,
    struct rpc_source **ret_source)
{
    const Billingos__V1__WatchInsightsRequest *request =
        PB_REQUEST(Billingos__V1__WatchInsightsRequest, req);
    struct watch_filter filter = {.severity_min = (enum event_severity)request->severity_min};
    struct watch_source *source = NULL;
    struct status status;
    int64_t after_seq = -1;
    uint8_t digest[SHA256_SIZE];

    TRY(refuse_unsupported(cx, request));
    TRY(read_types(cx, request, &filter.types));
    TRY(read_customers(cx, services, request, &filter));
    TRY(digest_filter(cx, request, digest));
    if (request->resume_token[0] != '\0') {
        const struct str bound = {(const char *)digest, sizeof digest};

        TRY(resume_token_read(cx, services, request->resume_token, bound, &after_seq));
    }
    source = heap_new(sizeof *source);
    if (source == NULL) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    source->base = (struct rpc_source){.next = watch_source_next, .close = watch_source_close};
    source->services = services;
    source->caller = cx->caller;
    source->caller.actor = "";
    memcpy(source->filter, digest, sizeof digest);
    status = watch_open(cx, services, &filter, after_seq, wake, waker, &source->watch);
    if (status.code != CODE_OK) {
        heap_free(source);
        return status;
    }
    *ret_source = &source->base;
    return STATUS_OK;
}
