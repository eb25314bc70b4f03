#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "domain/field_check.h"
#include "handlers/pb.h"
#include "handlers/subscription_pb.h"

#define EXTERNAL_ID_BYTES_MAX 255
#define PAYMENT_METHOD_BYTES_MAX 255
#define QUANTITY_MAX 1000000
#define TRIAL_DAYS_MAX 730
#define DAYS_UNTIL_DUE_FALLBACK 30
#define DAYS_UNTIL_DUE_MAX 365

typedef Billingos__V1__CreateSubscriptionRequest create_request;

/* Nothing that is asked for is dropped in silence. */
static void refuse_unsupported(struct ctx *cx, const create_request *request, struct status *result)
{
    static const char later[] = "is not supported yet";

    if (request->n_addons > 0) {
        field_note(cx, result, status_field(cx, "addons", later));
    }
    if (request->coupon_id[0] != '\0') {
        field_note(cx, result, status_field(cx, "coupon_id", later));
    }
    if (request->promotion_code[0] != '\0') {
        field_note(cx, result, status_field(cx, "promotion_code", later));
    }
    if (request->billing_anchor_time != NULL) {
        field_note(cx, result, status_field(cx, "billing_anchor_time", later));
    }
    if (request->backdate_time != NULL) {
        field_note(cx, result, status_field(cx, "backdate_time", later));
    }
}

static struct status read_customer(
    struct ctx *cx,
    const create_request *request,
    struct subscription_order_parts *parts,
    struct customer_ref *ret_customer)
{
    switch (request->customer_case) {
    case BILLINGOS__V1__CREATE_SUBSCRIPTION_REQUEST__CUSTOMER_CUSTOMER_ID:
        ret_customer->customer_id = &parts->customer_id;
        return pb_read_id(
            cx, "customer_id", ID_CUSTOMER, request->customer_id, &parts->customer_id);
    case BILLINGOS__V1__CREATE_SUBSCRIPTION_REQUEST__CUSTOMER_EXTERNAL_CUSTOMER_ID:
        ret_customer->external_id = request->external_customer_id;
        return pb_check_text(
            cx, "external_customer_id", request->external_customer_id, 1, EXTERNAL_ID_BYTES_MAX);
    default:
        return status_field(
            cx, "customer", "one of customer_id and external_customer_id is required");
    }
}

static struct status read_plan(
    struct ctx *cx,
    const create_request *request,
    struct subscription_order_parts *parts,
    struct subscription_order *order)
{
    order->plan_version = request->plan_version;
    if (request->plan_version < 0) {
        return status_field(cx, "plan_version", "is negative");
    }
    switch (request->plan_case) {
    case BILLINGOS__V1__CREATE_SUBSCRIPTION_REQUEST__PLAN_PLAN_ID:
        order->plan_id = &parts->plan_id;
        return pb_read_id(cx, "plan_id", ID_PLAN, request->plan_id, &parts->plan_id);
    case BILLINGOS__V1__CREATE_SUBSCRIPTION_REQUEST__PLAN_PLAN_KEY:
        order->plan_key = request->plan_key;
        return pb_check_key(cx, "plan_key", request->plan_key);
    default:
        return status_field(cx, "plan", "one of plan_id and plan_key is required");
    }
}

static struct status
read_price(struct ctx *cx, const create_request *request, struct subscription_order *order)
{
    order->currency = request->currency_code;
    order->interval = (enum billing_interval)request->interval;
    if ((int)request->interval < 0 || (int)request->interval > INTERVAL_YEAR) {
        return status_field(cx, "interval", "is not a value of BillingInterval");
    }
    if (request->currency_code[0] != '\0' && !currency_known(request->currency_code)) {
        return status_pair(
            cx,
            status_fail(
                cx,
                REASON_CURRENCY_UNKNOWN,
                "currency \"%.8s\" is not in ISO 4217",
                request->currency_code),
            "currency_code",
            request->currency_code);
    }
    if (request->price_id[0] == '\0') {
        return STATUS_OK;
    }
    TRY(pb_read_id(cx, "price_id", ID_PRICE, request->price_id, &order->price_id));
    return id_is_zero(&order->price_id) /* nobody has it, and to us it means "none" */
               ? status_pair(
                     cx, status_of(cx, REASON_PRICE_NOT_FOUND), "price_id", request->price_id)
               : STATUS_OK;
}

static struct status
read_quantity(struct ctx *cx, const create_request *request, struct subscription_order *order)
{
    order->quantity = request->quantity == 0 ? 1 : request->quantity;
    if (request->quantity < 0) {
        return status_pair(
            cx,
            status_of(cx, REASON_QUANTITY_NEGATIVE),
            "quantity",
            arena_printf(cx->arena, "%" PRId64, request->quantity));
    }
    return field_check_range(cx, "quantity", order->quantity, 1, QUANTITY_MAX);
}

static struct status
read_trial(struct ctx *cx, const create_request *request, struct subscription_order *order)
{
    static const char *const behaviors[] = {"cancel", "cancel", "pause", "create_invoice"};

    if ((int)request->trial_end_behavior < 0 ||
        (size_t)request->trial_end_behavior >= ARRAY_LEN(behaviors)) {
        return status_field(cx, "trial_end_behavior", "is not a value of TrialEndBehavior");
    }
    order->trial_end_behavior = behaviors[request->trial_end_behavior];
    switch (request->trial_case) {
    case BILLINGOS__V1__CREATE_SUBSCRIPTION_REQUEST__TRIAL_TRIAL_DAYS:
        order->trial_given = true;
        order->trial_days = request->trial_days;
        return field_check_range(cx, "trial_days", request->trial_days, 0, TRIAL_DAYS_MAX);
    case BILLINGOS__V1__CREATE_SUBSCRIPTION_REQUEST__TRIAL_TRIAL_END_TIME:
        order->trial_given = true;
        TRY(pb_read_time(cx, "trial_end_time", request->trial_end_time, &order->trial_end_us));
        if (order->trial_end_us <= cx->now_us) {
            return status_field(cx, "trial_end_time", "does not lie in the future");
        }
        return order->trial_end_us - cx->now_us > TRIAL_DAYS_MAX * US_PER_DAY
                   ? status_field(cx, "trial_end_time", "is more than two years ahead")
                   : STATUS_OK;
    default:
        return STATUS_OK;
    }
}

static struct status
read_collection(struct ctx *cx, const create_request *request, struct subscription_order *order)
{
    order->by_invoice =
        request->collection_method == BILLINGOS__V1__COLLECTION_METHOD__COLLECTION_METHOD_INVOICE;
    order->allow_incomplete = request->payment_behavior ==
                              BILLINGOS__V1__PAYMENT_BEHAVIOR__PAYMENT_BEHAVIOR_ALLOW_INCOMPLETE;
    order->days_until_due =
        request->days_until_due == 0 ? DAYS_UNTIL_DUE_FALLBACK : request->days_until_due;
    if ((int)request->collection_method < 0 || (int)request->collection_method > 2) {
        return status_field(cx, "collection_method", "is not a value of CollectionMethod");
    }
    if ((int)request->payment_behavior < 0 || (int)request->payment_behavior > 2) {
        return status_field(cx, "payment_behavior", "is not a value of PaymentBehavior");
    }
    if (!order->by_invoice && request->days_until_due != 0) {
        return status_field(cx, "days_until_due", "belongs to COLLECTION_METHOD_INVOICE");
    }
    return field_check_range(cx, "days_until_due", order->days_until_due, 1, DAYS_UNTIL_DUE_MAX);
}

struct status
subscription_pb_check_payment_method(struct ctx *cx, const char *field, const char *id)
{
    TRY(pb_check_text(cx, field, id, 0, PAYMENT_METHOD_BYTES_MAX));
    return id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0'
               ? STATUS_OK
               : status_field(cx, field, "is no id of a payment method");
}

static struct status
read_payment_method(struct ctx *cx, const create_request *request, struct subscription_order *order)
{
    order->payment_method_id = request->payment_method_id;
    return subscription_pb_check_payment_method(
        cx, "payment_method_id", request->payment_method_id);
}

struct status subscription_pb_read_order(
    struct ctx *cx,
    const create_request *request,
    struct subscription_order_parts *parts,
    struct subscription_order *ret_order)
{
    struct status result = STATUS_OK;

    *ret_order =
        (struct subscription_order){.allow_multiple = request->allow_multiple, .metadata = "{}"};
    if (request->source == BILLINGOS__V1__SUBSCRIPTION_SOURCE__SUBSCRIPTION_SOURCE_BILLINGOS) {
        return status_pair(cx, status_of(cx, REASON_SOURCE_NOT_SUPPORTED), "source", "BILLINGOS");
    }
    if ((int)request->source < 0 || (int)request->source > 2) {
        field_note(cx, &result, status_field(cx, "source", "is not a value of SubscriptionSource"));
    }
    refuse_unsupported(cx, request, &result);
    field_note(cx, &result, read_customer(cx, request, parts, &ret_order->customer));
    field_note(cx, &result, read_plan(cx, request, parts, ret_order));
    field_note(cx, &result, read_price(cx, request, ret_order));
    field_note(cx, &result, read_quantity(cx, request, ret_order));
    field_note(cx, &result, read_trial(cx, request, ret_order));
    field_note(cx, &result, read_collection(cx, request, ret_order));
    field_note(cx, &result, read_payment_method(cx, request, ret_order));
    field_note(
        cx,
        &result,
        pb_read_map(cx, "metadata", request->n_metadata, request->metadata, &ret_order->metadata));
    return result;
}
