#include "handlers/entitlement_handler.h"

#include <inttypes.h>

#include "base/arena.h"
#include "handlers/entitlement_answer.h"
#include "handlers/pb.h"
#include "services/entitlements.h"

#define FEATURE_KEY_BYTES_MAX 64
#define EXTERNAL_ID_BYTES_MAX 255

/* What both methods refuse alike. */
static struct status check_options(
    struct ctx *cx,
    const Google__Protobuf__Timestamp *at_time,
    const char *entity_id,
    Billingos__V1__EntitlementView view)
{
    if (at_time != NULL) {
        return status_field(cx, "at_time", "is not supported yet: leave it out for now");
    }
    if (entity_id[0] != '\0') {
        return status_field(cx, "entity_id", "is not supported yet");
    }
    if (view == BILLINGOS__V1__ENTITLEMENT_VIEW__ENTITLEMENT_VIEW_FULL) {
        return status_field(cx, "view", "FULL is not supported yet: use BASIC");
    }
    return STATUS_OK;
}

static struct status
read_max_staleness(struct ctx *cx, const Google__Protobuf__Duration *max_staleness, int64_t *ret_us)
{
    *ret_us = INT64_MAX;
    return max_staleness == NULL ? STATUS_OK
                                 : pb_read_duration(cx, "max_staleness", max_staleness, ret_us);
}

static struct status read_question(
    struct ctx *cx,
    const Billingos__V1__EntitlementQuery *query,
    struct id *customer_id,
    struct entitlement_question *ret_question)
{
    switch (query->customer_case) {
    case BILLINGOS__V1__ENTITLEMENT_QUERY__CUSTOMER_CUSTOMER_ID:
        TRY(pb_read_id(cx, "query.customer_id", ID_CUSTOMER, query->customer_id, customer_id));
        ret_question->customer.customer_id = customer_id;
        break;
    case BILLINGOS__V1__ENTITLEMENT_QUERY__CUSTOMER_EXTERNAL_CUSTOMER_ID:
        TRY(pb_check_text(
            cx,
            "query.external_customer_id",
            query->external_customer_id,
            1,
            EXTERNAL_ID_BYTES_MAX));
        ret_question->customer.external_id = query->external_customer_id;
        break;
    default:
        return status_field(
            cx, "query.customer", "one of customer_id and external_customer_id is required");
    }
    TRY(pb_check_text(cx, "query.feature_key", query->feature_key, 1, FEATURE_KEY_BYTES_MAX));
    if (query->quantity < 0) {
        char quantity[24];

        snprintf(quantity, sizeof quantity, "%" PRId64, query->quantity);
        return status_pair(
            cx,
            status_fail(cx, REASON_QUANTITY_NEGATIVE, "quantity is negative: %s", quantity),
            "quantity",
            quantity);
    }
    if (query->n_requested_values > 0) {
        return status_field(cx, "query.requested_values", "is not supported yet");
    }
    ret_question->feature_key = query->feature_key;
    ret_question->quantity = query->quantity;
    return STATUS_OK;
}

struct status entitlement_check(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__CheckEntitlementRequest *request =
        PB_REQUEST(Billingos__V1__CheckEntitlementRequest, req);
    Billingos__V1__CheckEntitlementResponse *response = NULL;
    struct entitlement_question question = {.customer = {NULL, NULL}};
    struct entitlement_answer answer;
    struct id customer_id;

    if (request->query == NULL) {
        return status_field(cx, "query", "is required");
    }
    TRY(check_options(cx, request->at_time, request->query->entity_id, request->view));
    TRY(read_question(cx, request->query, &customer_id, &question));
    TRY(read_max_staleness(cx, request->max_staleness, &question.max_staleness_us));
    TRY(entitlements_check(cx, services, &question, &answer));
    response = PB_NEW(
        cx,
        Billingos__V1__CheckEntitlementResponse,
        billingos__v1__check_entitlement_response__init);
    response->answer = entitlement_answer_pb(cx, &answer, request->query);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status read_customer(
    struct ctx *cx,
    const Billingos__V1__ListEntitlementsRequest *request,
    struct id *customer_id,
    struct customer_ref *ret_customer)
{
    switch (request->customer_case) {
    case BILLINGOS__V1__LIST_ENTITLEMENTS_REQUEST__CUSTOMER_CUSTOMER_ID:
        TRY(pb_read_id(cx, "customer_id", ID_CUSTOMER, request->customer_id, customer_id));
        ret_customer->customer_id = customer_id;
        return STATUS_OK;
    case BILLINGOS__V1__LIST_ENTITLEMENTS_REQUEST__CUSTOMER_EXTERNAL_CUSTOMER_ID:
        TRY(pb_check_text(
            cx, "external_customer_id", request->external_customer_id, 1, EXTERNAL_ID_BYTES_MAX));
        ret_customer->external_id = request->external_customer_id;
        return STATUS_OK;
    default:
        return status_field(
            cx, "customer", "one of customer_id and external_customer_id is required");
    }
}

struct status entitlement_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListEntitlementsRequest *request =
        PB_REQUEST(Billingos__V1__ListEntitlementsRequest, req);
    Billingos__V1__ListEntitlementsResponse *response = PB_NEW(
        cx,
        Billingos__V1__ListEntitlementsResponse,
        billingos__v1__list_entitlements_response__init);
    struct entitlement_listing listing;
    struct customer_ref customer = {NULL, NULL};
    struct id customer_id;
    int64_t max_staleness_us = 0;

    TRY(check_options(cx, request->at_time, request->entity_id, request->view));
    TRY(read_customer(cx, request, &customer_id, &customer));
    TRY(read_max_staleness(cx, request->max_staleness, &max_staleness_us));
    TRY(entitlements_list(cx, services, &customer, max_staleness_us, &listing));
    response->answers = arena_try_alloc(
        cx->arena, (listing.count + 1) * sizeof(Billingos__V1__EntitlementAnswer *));
    if (response->answers == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < listing.count; i++) {
        if (listing.answers[i].decision.allowed || !request->allowed_only) {
            response->answers[response->n_answers++] =
                entitlement_answer_pb(cx, &listing.answers[i], NULL);
        }
    }
    response->freshness = entitlement_freshness_pb(cx, &listing.freshness, 0);
    response->customer_id = pb_id(cx, ID_CUSTOMER, &listing.customer_id);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
