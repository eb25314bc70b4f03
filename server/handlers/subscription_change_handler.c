#include "handlers/subscription_change_handler.h"

#include "base/ctx.h"
#include "domain/field_check.h"
#include "handlers/keyed_call.h"
#include "handlers/pb.h"
#include "handlers/subscription_change_pb.h"
#include "handlers/subscription_pb.h"

/* A preview says everything about the change, so nothing is said beside it. */
static struct status read_order(
    struct ctx *cx,
    const Billingos__V1__ChangeSubscriptionRequest *request,
    struct id *plan_id,
    struct subscription_change_order *order)
{
    struct status result = STATUS_OK;

    *order = (struct subscription_change_order){.etag = request->etag};
    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request->subscription_id,
            &order->subscription_id));
    if (request->preview_id[0] == '\0') {
        field_note(
            cx, &result, subscription_change_pb_read(cx, request->change, plan_id, &order->wish));
        return result;
    }
    field_note(
        cx,
        &result,
        pb_read_id(cx, "preview_id", ID_PREVIEW, request->preview_id, &order->preview_id));
    if (request->change != NULL) {
        field_note(
            cx, &result, status_field(cx, "change", "is what the preview says: leave it out"));
    }
    if (result.code == CODE_OK && id_is_zero(&order->preview_id)) {
        return status_pair(/* nobody has it, and to us it means "none" */
                           cx,
                           status_of(cx, REASON_PREVIEW_EXPIRED),
                           "preview_id",
                           request->preview_id);
    }
    return result;
}

struct status subscription_change(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__ChangeSubscriptionRequest request =
        *PB_REQUEST(Billingos__V1__ChangeSubscriptionRequest, req);
    Billingos__V1__ChangeSubscriptionResponse *response = PB_NEW(
        cx,
        Billingos__V1__ChangeSubscriptionResponse,
        billingos__v1__change_subscription_response__init);
    struct subscription_change_order order;
    struct subscription_answer answer;
    struct keyed keyed;
    struct id plan_id;

    TRY(read_order(cx, &request, &plan_id, &order));
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_change(cx, services, &keyed, &order, &answer));
    response->subscription = subscription_pb(cx, &answer.subscription);
    if (answer.waits) {
        response->scheduled_change = subscription_change_pb_scheduled(cx, &answer.change);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_preview_change(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__PreviewSubscriptionChangeRequest *request =
        PB_REQUEST(Billingos__V1__PreviewSubscriptionChangeRequest, req);
    Billingos__V1__PreviewSubscriptionChangeResponse *response = PB_NEW(
        cx,
        Billingos__V1__PreviewSubscriptionChangeResponse,
        billingos__v1__preview_subscription_change_response__init);
    struct subscription_preview preview;
    struct subscription_wish wish;
    struct status result = STATUS_OK;
    struct id subscription_id;
    struct id plan_id;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx, "subscription_id", ID_SUBSCRIPTION, request->subscription_id, &subscription_id));
    field_note(cx, &result, subscription_change_pb_read(cx, request->change, &plan_id, &wish));
    TRY(result);
    TRY(subscriptions_preview_change(cx, services, &subscription_id, &wish, &preview));
    response->preview = subscription_change_pb_preview(cx, &preview);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
