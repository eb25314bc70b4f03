#include "handlers/subscription_handler.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "domain/field_check.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "handlers/subscription_pb.h"
#include "services/subscriptions.h"

#define EXTERNAL_ID_BYTES_MAX 255
#define COMMENT_BYTES_MAX 4000 /* 1000 characters of up to 4 bytes */
#define STATUSES_MAX 10

static const struct list_sizes page_sizes = {.fallback = 50, .max = 200};

struct status subscription_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__CreateSubscriptionRequest request =
        *PB_REQUEST(Billingos__V1__CreateSubscriptionRequest, req);
    Billingos__V1__CreateSubscriptionResponse *response = PB_NEW(
        cx,
        Billingos__V1__CreateSubscriptionResponse,
        billingos__v1__create_subscription_response__init);
    struct subscription_order_parts parts;
    struct subscription_order order;
    struct subscription subscription;
    struct keyed keyed;

    TRY(subscription_pb_read_order(cx, &request, &parts, &order));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_create(cx, services, &keyed, &order, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetSubscriptionRequest *request =
        PB_REQUEST(Billingos__V1__GetSubscriptionRequest, req);
    Billingos__V1__GetSubscriptionResponse *response = PB_NEW(
        cx, Billingos__V1__GetSubscriptionResponse, billingos__v1__get_subscription_response__init);
    struct subscription subscription;
    struct id id;

    TRY(pb_read_id(cx, "subscription_id", ID_SUBSCRIPTION, request->subscription_id, &id));
    TRY(subscriptions_get(cx, services, &id, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

/* What narrows a list, with what it borrows. */
struct list_call {
    struct subscription_filter filter;
    const char *statuses[STATUSES_MAX];
    struct customer_ref customer;
    struct id customer_id;
    bool of_customer;
};

static struct status read_statuses(
    struct ctx *cx, const Billingos__V1__ListSubscriptionsRequest *request, struct list_call *call)
{
    if (request->n_statuses > STATUSES_MAX) {
        return status_field(cx, "statuses", "has more than %d values", STATUSES_MAX);
    }
    for (size_t i = 0; i < request->n_statuses; i++) {
        const char *name = subscription_status_name((enum subscription_status)request->statuses[i]);

        if (request->statuses[i] == 0) {
            continue; /* any */
        }
        if (name[0] == '\0') {
            return status_field(cx, "statuses", "holds no value of SubscriptionStatus");
        }
        call->statuses[call->filter.status_count++] = name;
    }
    call->filter.statuses = call->statuses;
    return STATUS_OK;
}

static struct status read_list_customer(
    struct ctx *cx, const Billingos__V1__ListSubscriptionsRequest *request, struct list_call *call)
{
    switch (request->customer_case) {
    case BILLINGOS__V1__LIST_SUBSCRIPTIONS_REQUEST__CUSTOMER_CUSTOMER_ID:
        call->of_customer = true;
        call->customer.customer_id = &call->customer_id;
        return pb_read_id(cx, "customer_id", ID_CUSTOMER, request->customer_id, &call->customer_id);
    case BILLINGOS__V1__LIST_SUBSCRIPTIONS_REQUEST__CUSTOMER_EXTERNAL_CUSTOMER_ID:
        call->of_customer = true;
        call->customer.external_id = request->external_customer_id;
        return pb_check_text(
            cx, "external_customer_id", request->external_customer_id, 1, EXTERNAL_ID_BYTES_MAX);
    default:
        return STATUS_OK;
    }
}

static struct status read_list_plan(
    struct ctx *cx,
    const Billingos__V1__ListSubscriptionsRequest *request,
    struct subscription_filter *filter)
{
    filter->plan_version = request->plan_version;
    if (request->plan_version < 0) {
        return status_field(cx, "plan_version", "is negative");
    }
    if (request->plan_version > 0 && request->plan_id[0] == '\0') {
        return status_field(cx, "plan_version", "needs plan_id");
    }
    if (request->plan_id[0] == '\0') {
        return STATUS_OK;
    }
    TRY(pb_read_id(cx, "plan_id", ID_PLAN, request->plan_id, &filter->plan_id));
    return id_is_zero(&filter->plan_id) /* nobody has it, and to us it means "any" */
               ? status_pair(cx, status_of(cx, REASON_PLAN_NOT_FOUND), "plan_id", request->plan_id)
               : STATUS_OK;
}

static struct status read_list_range(
    struct ctx *cx, const Billingos__V1__TimeRange *range, struct subscription_filter *filter)
{
    if (range == NULL) {
        return STATUS_OK;
    }
    TRY(pb_read_time(cx, "create_range.start_time", range->start_time, &filter->from_us));
    TRY(pb_read_time(cx, "create_range.end_time", range->end_time, &filter->until_us));
    return filter->until_us != 0 && filter->until_us < filter->from_us
               ? status_field(cx, "create_range", "ends before it starts")
               : STATUS_OK;
}

static struct status read_list(
    struct ctx *cx, const Billingos__V1__ListSubscriptionsRequest *request, struct list_call *call)
{
    struct status result = STATUS_OK;

    *call = (struct list_call){.of_customer = false};
    field_note(cx, &result, read_statuses(cx, request, call));
    field_note(cx, &result, read_list_customer(cx, request, call));
    field_note(cx, &result, read_list_plan(cx, request, &call->filter));
    field_note(cx, &result, read_list_range(cx, request->create_range, &call->filter));
    return result;
}

/* Everything that narrows the list, in one form. */
static const char *filter_text(
    struct ctx *cx,
    const Billingos__V1__ListSubscriptionsRequest *request,
    const struct list_call *call)
{
    const char *text = arena_printf(
        cx->arena,
        "subscriptions %s %s %s %" PRId32 " %" PRId64 " %" PRId64,
        call->customer.customer_id != NULL ? request->customer_id : "",
        call->customer.external_id != NULL ? request->external_customer_id : "",
        request->plan_id,
        request->plan_version,
        call->filter.from_us,
        call->filter.until_us);

    for (size_t i = 0; i < call->filter.status_count; i++) {
        text = arena_printf(cx->arena, "%s %s", text, call->statuses[i]);
    }
    return text;
}

struct status subscription_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListSubscriptionsRequest *request =
        PB_REQUEST(Billingos__V1__ListSubscriptionsRequest, req);
    Billingos__V1__ListSubscriptionsResponse *response = PB_NEW(
        cx,
        Billingos__V1__ListSubscriptionsResponse,
        billingos__v1__list_subscriptions_response__init);
    struct subscription *subscriptions = NULL;
    struct list_call call;
    struct list_page page;
    size_t fetched = 0;

    TRY(read_list(cx, request, &call));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        filter_text(cx, request, &call),
        &page));
    call.filter.before_us = page.start.number;
    call.filter.before_id = page.start.id;
    TRY(subscriptions_list(
        cx,
        services,
        call.of_customer ? &call.customer : NULL,
        &call.filter,
        (size_t)page.fetch,
        &subscriptions,
        &fetched));
    response->n_subscriptions = list_page_shown(&page, fetched);
    response->subscriptions = arena_alloc(
        cx->arena, (response->n_subscriptions + 1) * sizeof(Billingos__V1__Subscription *));
    for (size_t i = 0; i < response->n_subscriptions; i++) {
        const struct page_position last = {
            subscriptions[i].created_us, subscriptions[i].subscription_id};

        response->subscriptions[i] = subscription_pb(cx, &subscriptions[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status
check_giving_back(struct ctx *cx, const Billingos__V1__CancelSubscriptionRequest *request)
{
    const bool later = request->timing == BILLINGOS__V1__CANCEL_TIMING__CANCEL_TIMING_AT_PERIOD_END;

    if ((int)request->refund < 0 ||
        (int)request->refund > BILLINGOS__V1__CANCEL_REFUND__CANCEL_REFUND_FULL) {
        return status_field(cx, "refund", "is not a value of CancelRefund");
    }
    if ((int)request->refund > BILLINGOS__V1__CANCEL_REFUND__CANCEL_REFUND_CREDIT) {
        return status_field(cx, "refund", "is not supported yet: use NONE or CREDIT");
    }
    if (later && (int)request->refund > BILLINGOS__V1__CANCEL_REFUND__CANCEL_REFUND_NONE) {
        return status_field(cx, "refund", "belongs to CANCEL_TIMING_NOW");
    }
    return later && request->invoice_usage
               ? status_field(cx, "invoice_usage", "belongs to CANCEL_TIMING_NOW")
               : STATUS_OK;
}

static struct status read_end(
    struct ctx *cx,
    const Billingos__V1__CancelSubscriptionRequest *request,
    struct subscription_end *end)
{
    struct status result = STATUS_OK;

    *end = (struct subscription_end){
        .at_period_end =
            request->timing == BILLINGOS__V1__CANCEL_TIMING__CANCEL_TIMING_AT_PERIOD_END,
        .credit = request->refund == BILLINGOS__V1__CANCEL_REFUND__CANCEL_REFUND_CREDIT,
        .invoice_usage = request->invoice_usage,
        .feedback = "",
        .comment = request->comment,
        .etag = request->etag,
    };
    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request->subscription_id,
            &end->subscription_id));
    if (!end->at_period_end && request->timing != BILLINGOS__V1__CANCEL_TIMING__CANCEL_TIMING_NOW) {
        field_note(cx, &result, status_field(cx, "timing", "NOW or AT_PERIOD_END is required"));
    }
    field_note(cx, &result, check_giving_back(cx, request));
    field_note(cx, &result, subscription_pb_read_feedback(cx, request->feedback, &end->feedback));
    field_note(cx, &result, pb_check_text(cx, "comment", request->comment, 0, COMMENT_BYTES_MAX));
    return result;
}

struct status subscription_cancel(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__CancelSubscriptionRequest request =
        *PB_REQUEST(Billingos__V1__CancelSubscriptionRequest, req);
    Billingos__V1__CancelSubscriptionResponse *response = PB_NEW(
        cx,
        Billingos__V1__CancelSubscriptionResponse,
        billingos__v1__cancel_subscription_response__init);
    struct subscription_end end;
    struct subscription subscription;
    struct keyed keyed;

    TRY(read_end(cx, &request, &end));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_cancel(cx, services, &keyed, &end, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_undo_cancel(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__UndoCancelSubscriptionRequest request =
        *PB_REQUEST(Billingos__V1__UndoCancelSubscriptionRequest, req);
    Billingos__V1__UndoCancelSubscriptionResponse *response = PB_NEW(
        cx,
        Billingos__V1__UndoCancelSubscriptionResponse,
        billingos__v1__undo_cancel_subscription_response__init);
    struct subscription_end end = {.feedback = "", .comment = "", .etag = request.etag};
    struct subscription subscription;
    struct keyed keyed;

    TRY(pb_read_id(
        cx, "subscription_id", ID_SUBSCRIPTION, request.subscription_id, &end.subscription_id));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_undo_cancel(cx, services, &keyed, &end, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
