#include "handlers/event_pb.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "domain/decline.h"
#include "domain/subscription.h"
#include "handlers/payment_method_pb.h"
#include "handlers/pb.h"
#include "handlers/reconcile_pb.h"
#include "handlers/subscription_pb.h"
#include "http/json.h"
#include "services/payment_method_mirror.h"
#include "services/subscription_snapshot.h"

#define TYPE_PREFIX "BILLING_EVENT_TYPE_"
#define SCHEMA_VERSION 1

static void release_json(struct json **json)
{
    json_free(*json);
}

/* The value of an enumeration that is called prefix and name; 0, UNSPECIFIED, for another. */
static int number_of(const ProtobufCEnumDescriptor *words, const char *prefix, const char *name)
{
    char full[96];
    const ProtobufCEnumValue *value = NULL;

    snprintf(full, sizeof full, "%s%s", prefix, name);
    value = protobuf_c_enum_descriptor_get_value_by_name(words, full);
    return value == NULL ? 0 : value->value;
}

uint64_t event_type_bit(Billingos__V1__BillingEventType type)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &billingos__v1__billing_event_type__descriptor, (int)type);
    enum event_type known;

    if (value == NULL || !event_type_parse(value->name + strlen(TYPE_PREFIX), &known) ||
        event_type_internal(known)) {
        return 0;
    }
    return UINT64_C(1) << known;
}

static Billingos__V1__SubscriptionStatus status_pb(const char *name)
{
    enum subscription_status status = SUBSCRIPTION_PENDING;

    return subscription_status_parse(name, &status)
               ? (Billingos__V1__SubscriptionStatus)status
               : BILLINGOS__V1__SUBSCRIPTION_STATUS__SUBSCRIPTION_STATUS_UNSPECIFIED;
}

static void subscription_payload(
    struct ctx *cx,
    const struct event *event,
    json_value payload,
    Billingos__V1__BillingEvent *message)
{
    Billingos__V1__SubscriptionEvent *one =
        PB_NEW(cx, Billingos__V1__SubscriptionEvent, billingos__v1__subscription_event__init);
    struct subscription subscription;

    if (subscription_snapshot_read(cx, event->payload, &subscription).code != CODE_OK) {
        return; /* of another version of the program: the ids are in the event itself */
    }
    one->subscription = subscription_pb(cx, &subscription);
    one->old_status = status_pb(json_text(cx, payload, "old_status"));
    message->external_customer_id = pb_text(subscription.external_customer_id);
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_SUBSCRIPTION;
    message->subscription = one;
}

static void customer_payload(
    struct ctx *cx,
    const struct event *event,
    json_value payload,
    Billingos__V1__BillingEvent *message)
{
    Billingos__V1__CustomerEvent *one =
        PB_NEW(cx, Billingos__V1__CustomerEvent, billingos__v1__customer_event__init);

    one->customer = PB_NEW(cx, Billingos__V1__Customer, billingos__v1__customer__init);
    one->customer->customer_id = pb_id(cx, ID_CUSTOMER, &event->customer_id);
    one->customer->external_customer_id = pb_text(json_text(cx, payload, "external_customer_id"));
    message->external_customer_id = one->customer->external_customer_id;
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_CUSTOMER;
    message->customer = one;
}

static void payment_method_payload(
    struct ctx *cx, const struct event *event, Billingos__V1__BillingEvent *message)
{
    Billingos__V1__PaymentMethodEvent *one =
        PB_NEW(cx, Billingos__V1__PaymentMethodEvent, billingos__v1__payment_method_event__init);
    struct payment_method method;

    if (payment_method_snapshot_read(cx, event->payload, &method).code != CODE_OK) {
        return; /* of another version of the program */
    }
    one->payment_method = payment_method_pb(cx, &method, event->created_us);
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_PAYMENT_METHOD;
    message->payment_method = one;
}

static void
entitlements_payload(struct ctx *cx, json_value payload, Billingos__V1__BillingEvent *message)
{
    Billingos__V1__EntitlementsEvent *one =
        PB_NEW(cx, Billingos__V1__EntitlementsEvent, billingos__v1__entitlements_event__init);

    one->state_version = json_i64(payload, "state_version");
    one->cause = pb_text(json_text(cx, payload, "cause"));
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_ENTITLEMENTS;
    message->entitlements = one;
}

static Billingos__V1__Money *money_pb(struct ctx *cx, json_value payload, const char *minor)
{
    Billingos__V1__Money *money = PB_NEW(cx, Billingos__V1__Money, billingos__v1__money__init);

    money->minor_units = json_i64(payload, minor);
    money->currency_code = pb_text(json_text(cx, payload, "currency"));
    return money;
}

static void payment_payload(
    struct ctx *cx,
    const struct event *event,
    json_value payload,
    Billingos__V1__BillingEvent *message)
{
    Billingos__V1__PaymentEvent *one =
        PB_NEW(cx, Billingos__V1__PaymentEvent, billingos__v1__payment_event__init);
    Billingos__V1__PaymentAttempt *attempt =
        PB_NEW(cx, Billingos__V1__PaymentAttempt, billingos__v1__payment_attempt__init);

    attempt->invoice_id = pb_text(json_text(cx, payload, "invoice_id"));
    attempt->customer_id = pb_id(cx, ID_CUSTOMER, &event->customer_id);
    attempt->amount = money_pb(cx, payload, "amount_minor");
    attempt->subscription_id = pb_id(cx, ID_SUBSCRIPTION, &event->subscription_id);
    if (event->type == EVENT_PAYMENT_FAILED) {
        attempt->failure =
            PB_NEW(cx, Billingos__V1__PaymentFailure, billingos__v1__payment_failure__init);
        attempt->failure->decline_code = pb_text(json_text(cx, payload, "decline_code"));
        attempt->failure->decline_class =
            (Billingos__V1__DeclineClass)decline_class_of(attempt->failure->decline_code);
    }
    attempt->state = event->type == EVENT_PAYMENT_SUCCEEDED
                         ? BILLINGOS__V1__PAYMENT_ATTEMPT_STATE__PAYMENT_ATTEMPT_STATE_SUCCEEDED
                         : BILLINGOS__V1__PAYMENT_ATTEMPT_STATE__PAYMENT_ATTEMPT_STATE_FAILED;
    one->payment_attempt = attempt;
    one->invoice_number = pb_text(json_text(cx, payload, "invoice_number"));
    one->next_attempt_time = pb_time(cx, json_i64(payload, "next_attempt_us"));
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_PAYMENT;
    message->payment = one;
}

static void invoice_payload(
    struct ctx *cx,
    const struct event *event,
    json_value payload,
    Billingos__V1__BillingEvent *message)
{
    Billingos__V1__InvoiceEvent *one =
        PB_NEW(cx, Billingos__V1__InvoiceEvent, billingos__v1__invoice_event__init);

    one->invoice = PB_NEW(cx, Billingos__V1__Invoice, billingos__v1__invoice__init);
    one->invoice->invoice_id = pb_text(json_text(cx, payload, "invoice_id"));
    one->invoice->customer_id = pb_id(cx, ID_CUSTOMER, &event->customer_id);
    one->invoice->subscription_id = pb_id(cx, ID_SUBSCRIPTION, &event->subscription_id);
    one->invoice->number = pb_text(json_text(cx, payload, "invoice_number"));
    one->invoice->total = money_pb(cx, payload, "total_minor");
    one->invoice->status = (Billingos__V1__InvoiceStatus)number_of(
        &billingos__v1__invoice_status__descriptor,
        "INVOICE_STATUS_",
        json_text(cx, payload, "status"));
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_INVOICE;
    message->invoice = one;
}

static void usage_payload(struct ctx *cx, json_value payload, Billingos__V1__BillingEvent *message)
{
    Billingos__V1__UsageThresholdEvent *one =
        PB_NEW(cx, Billingos__V1__UsageThresholdEvent, billingos__v1__usage_threshold_event__init);

    one->feature_key = pb_text(json_text(cx, payload, "feature_key"));
    one->meter_key = pb_text(json_text(cx, payload, "meter_key"));
    one->threshold_percent = 100;
    one->balance = PB_NEW(cx, Billingos__V1__Balance, billingos__v1__balance__init);
    one->balance->limit = json_i64(payload, "limit");
    one->balance->used = json_i64(payload, "used");
    if (one->balance->used > one->balance->limit) {
        one->balance->overage = one->balance->used - one->balance->limit;
    }
    one->balance->remaining =
        one->balance->overage > 0 ? 0 : one->balance->limit - one->balance->used;
    one->balance->period_start_time = pb_time(cx, json_i64(payload, "window_start_us"));
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_USAGE_THRESHOLD;
    message->usage_threshold = one;
}

static void
account_payload(struct ctx *cx, json_value payload, Billingos__V1__BillingEvent *message)
{
    Billingos__V1__PaymentAccountEvent *one =
        PB_NEW(cx, Billingos__V1__PaymentAccountEvent, billingos__v1__payment_account_event__init);

    one->payment_account =
        PB_NEW(cx, Billingos__V1__PaymentAccount, billingos__v1__payment_account__init);
    one->payment_account->payment_account_ref = pb_text(json_text(cx, payload, "account_id"));
    one->payment_account->state = (Billingos__V1__PaymentAccountState)number_of(
        &billingos__v1__payment_account_state__descriptor,
        "PAYMENT_ACCOUNT_STATE_",
        json_text(cx, payload, "state"));
    one->payment_account->details_submitted = json_bool(payload, "details_submitted");
    one->payment_account->disabled_reason = pb_text(json_text(cx, payload, "disabled_reason"));
    one->payment_account->charges_enabled = json_bool(payload, "charges_enabled");
    one->payment_account->payouts_enabled = json_bool(payload, "payouts_enabled");
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_PAYMENT_ACCOUNT;
    message->payment_account = one;
}

static void drift_payload(struct ctx *cx, json_value payload, Billingos__V1__BillingEvent *message)
{
    message->drift = PB_NEW(cx, Billingos__V1__DriftEvent, billingos__v1__drift_event__init);
    message->drift->drift = drift_pb_of_payload(cx, payload);
    message->payload_case = BILLINGOS__V1__BILLING_EVENT__PAYLOAD_DRIFT;
}

static void read_payload(
    struct ctx *cx,
    const struct event *event,
    json_value payload,
    Billingos__V1__BillingEvent *message)
{
    switch (event->type) {
    case EVENT_SUBSCRIPTION_CREATED:
    case EVENT_SUBSCRIPTION_ACTIVATED:
    case EVENT_SUBSCRIPTION_UPDATED:
    case EVENT_SUBSCRIPTION_CANCELED:
    case EVENT_SUBSCRIPTION_FAILED:
        subscription_payload(cx, event, payload, message);
        break;
    case EVENT_CUSTOMER_CREATED:
    case EVENT_CUSTOMER_UPDATED:
    case EVENT_CUSTOMER_ARCHIVED:
        customer_payload(cx, event, payload, message);
        break;
    case EVENT_PAYMENT_METHOD_ATTACHED:
    case EVENT_PAYMENT_METHOD_DETACHED:
    case EVENT_PAYMENT_METHOD_EXPIRING:
        payment_method_payload(cx, event, message);
        break;
    case EVENT_ENTITLEMENTS_CHANGED:
        entitlements_payload(cx, payload, message);
        break;
    case EVENT_PAYMENT_SUCCEEDED:
    case EVENT_PAYMENT_FAILED:
        payment_payload(cx, event, payload, message);
        break;
    case EVENT_INVOICE_UPDATED:
    case EVENT_INVOICE_PAID:
        invoice_payload(cx, event, payload, message);
        break;
    case EVENT_USAGE_LIMIT_REACHED:
        usage_payload(cx, payload, message);
        break;
    case EVENT_PAYMENT_ACCOUNT_UPDATED:
        account_payload(cx, payload, message);
        break;
    case EVENT_DRIFT_FOUND:
        drift_payload(cx, payload, message);
        break;
    case EVENT_CATALOG_CHANGED:
    case EVENT_API_KEY_CHANGED:
    case EVENT_TYPE_COUNT:
        break;
    }
}

Billingos__V1__BillingEvent *event_pb(struct ctx *cx, const struct event *event)
{
    AUTO(release_json) struct json *json = NULL;
    Billingos__V1__BillingEvent *message =
        PB_NEW(cx, Billingos__V1__BillingEvent, billingos__v1__billing_event__init);

    message->event_id = pb_id(cx, ID_EVENT, &event->event_id);
    message->type = (Billingos__V1__BillingEventType)number_of(
        &billingos__v1__billing_event_type__descriptor, TYPE_PREFIX, event_type_name(event->type));
    message->sequence = event->seq;
    message->create_time = pb_time(cx, event->created_us);
    message->customer_id = pb_id(cx, ID_CUSTOMER, &event->customer_id);
    message->subscription_id = pb_id(cx, ID_SUBSCRIPTION, &event->subscription_id);
    message->severity = (Billingos__V1__Severity)event_type_severity(event->type);
    message->schema_version = SCHEMA_VERSION;
    message->request_id = pb_text(event->request_id == NULL ? "" : event->request_id);
    if (json_parse(cx, event->payload, strlen(event->payload), &json).code == CODE_OK) {
        read_payload(cx, event, json_root(json), message);
    }
    return message;
}
