#include "handlers/subscription_verb_handler.h"

#include "base/ctx.h"
#include "base/wallclock.h"
#include "domain/field_check.h"
#include "handlers/keyed_call.h"
#include "handlers/pb.h"
#include "handlers/subscription_pb.h"
#include "services/subscription_pause.h"
#include "services/subscription_renew.h"
#include "services/subscription_trial.h"

/* Absent is 0. */
static struct status read_future(
    struct ctx *cx, const char *field, const Google__Protobuf__Timestamp *time, int64_t *ret_us)
{
    *ret_us = 0;
    if (time == NULL) {
        return STATUS_OK;
    }
    TRY(pb_read_time(cx, field, time, ret_us));
    *ret_us -= *ret_us % US_PER_SECOND; /* the payment side knows whole seconds */
    return *ret_us <= cx->now_us ? status_field(cx, field, "does not lie in the future")
                                 : STATUS_OK;
}

static struct status
read_trial_end(struct ctx *cx, const Google__Protobuf__Timestamp *time, int64_t *ret_us)
{
    return time == NULL ? status_field(cx, "trial_end_time", "is required")
                        : read_future(cx, "trial_end_time", time, ret_us);
}

static struct status check_timing(struct ctx *cx, Billingos__V1__ChangeTiming timing)
{
    switch (timing) {
    case BILLINGOS__V1__CHANGE_TIMING__CHANGE_TIMING_UNSPECIFIED:
    case BILLINGOS__V1__CHANGE_TIMING__CHANGE_TIMING_NOW:
        return STATUS_OK;
    case BILLINGOS__V1__CHANGE_TIMING__CHANGE_TIMING_AT_PERIOD_END:
        return status_field(cx, "timing", "is not supported yet: use NOW");
    default:
        return status_field(cx, "timing", "is not a value of ChangeTiming");
    }
}

struct status subscription_pause_collection(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__PauseCollectionRequest request =
        *PB_REQUEST(Billingos__V1__PauseCollectionRequest, req);
    Billingos__V1__PauseCollectionResponse *response = PB_NEW(
        cx, Billingos__V1__PauseCollectionResponse, billingos__v1__pause_collection_response__init);
    struct subscription_pause pause = {.etag = request.etag, .behavior = ""};
    struct status result = STATUS_OK;
    struct subscription subscription;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request.subscription_id,
            &pause.subscription_id));
    field_note(
        cx, &result, subscription_pb_read_collection_pause(cx, request.behavior, &pause.behavior));
    field_note(cx, &result, read_future(cx, "resume_time", request.resume_time, &pause.resume_us));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_pause_collection(cx, services, &keyed, &pause, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_resume_collection(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__ResumeCollectionRequest request =
        *PB_REQUEST(Billingos__V1__ResumeCollectionRequest, req);
    Billingos__V1__ResumeCollectionResponse *response = PB_NEW(
        cx,
        Billingos__V1__ResumeCollectionResponse,
        billingos__v1__resume_collection_response__init);
    struct subscription_resume resume = {.etag = request.etag};
    struct status result = STATUS_OK;
    struct subscription subscription;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request.subscription_id,
            &resume.subscription_id));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_resume_collection(cx, services, &keyed, &resume, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_pause_access(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__PauseSubscriptionRequest request =
        *PB_REQUEST(Billingos__V1__PauseSubscriptionRequest, req);
    Billingos__V1__PauseSubscriptionResponse *response = PB_NEW(
        cx,
        Billingos__V1__PauseSubscriptionResponse,
        billingos__v1__pause_subscription_response__init);
    struct subscription_pause pause = {
        .etag = request.etag, .behavior = "", .credit = request.credit_unused_time};
    struct status result = STATUS_OK;
    struct subscription subscription;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request.subscription_id,
            &pause.subscription_id));
    field_note(cx, &result, check_timing(cx, request.timing));
    field_note(cx, &result, read_future(cx, "resume_time", request.resume_time, &pause.resume_us));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_pause(cx, services, &keyed, &pause, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_resume_access(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__ResumeSubscriptionRequest request =
        *PB_REQUEST(Billingos__V1__ResumeSubscriptionRequest, req);
    Billingos__V1__ResumeSubscriptionResponse *response = PB_NEW(
        cx,
        Billingos__V1__ResumeSubscriptionResponse,
        billingos__v1__resume_subscription_response__init);
    struct subscription_resume resume = {
        .etag = request.etag, .new_period = request.start_new_period};
    struct status result = STATUS_OK;
    struct subscription subscription;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request.subscription_id,
            &resume.subscription_id));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_resume(cx, services, &keyed, &resume, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_extend_trial(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__ExtendTrialRequest request = *PB_REQUEST(Billingos__V1__ExtendTrialRequest, req);
    Billingos__V1__ExtendTrialResponse *response =
        PB_NEW(cx, Billingos__V1__ExtendTrialResponse, billingos__v1__extend_trial_response__init);
    struct subscription_trial trial = {.etag = request.etag};
    struct status result = STATUS_OK;
    struct subscription subscription;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request.subscription_id,
            &trial.subscription_id));
    field_note(cx, &result, read_trial_end(cx, request.trial_end_time, &trial.end_us));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_extend_trial(cx, services, &keyed, &trial, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_end_trial(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__EndTrialRequest request = *PB_REQUEST(Billingos__V1__EndTrialRequest, req);
    Billingos__V1__EndTrialResponse *response =
        PB_NEW(cx, Billingos__V1__EndTrialResponse, billingos__v1__end_trial_response__init);
    struct subscription_trial trial = {.etag = request.etag};
    struct status result = STATUS_OK;
    struct subscription subscription;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request.subscription_id,
            &trial.subscription_id));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_end_trial(cx, services, &keyed, &trial, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status subscription_renew(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__RenewSubscriptionRequest request =
        *PB_REQUEST(Billingos__V1__RenewSubscriptionRequest, req);
    Billingos__V1__RenewSubscriptionResponse *response = PB_NEW(
        cx,
        Billingos__V1__RenewSubscriptionResponse,
        billingos__v1__renew_subscription_response__init);
    struct subscription_renewal renewal = {
        .etag = request.etag, .payment_method_id = request.payment_method_id};
    struct status result = STATUS_OK;
    struct subscription subscription;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "subscription_id",
            ID_SUBSCRIPTION,
            request.subscription_id,
            &renewal.subscription_id));
    field_note(
        cx,
        &result,
        subscription_pb_check_payment_method(cx, "payment_method_id", request.payment_method_id));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(subscriptions_renew(cx, services, &keyed, &renewal, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
