#include "handlers/subscription_pb.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "domain/decline.h"
#include "handlers/pb.h"

/* The words of the payment side; the numbers are those of CancelFeedback. */
static const char *const feedback_words[] = {
    "",
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "customer_service",
    "too_complex",
    "low_quality",
    "other",
};

static const struct {
    const char *word;
    Billingos__V1__CancelReason reason;
} cancel_reasons[] = {
    {"cancellation_requested", BILLINGOS__V1__CANCEL_REASON__CANCEL_REASON_REQUESTED},
    {"payment_failed", BILLINGOS__V1__CANCEL_REASON__CANCEL_REASON_PAYMENT_FAILED},
    {"payment_disputed", BILLINGOS__V1__CANCEL_REASON__CANCEL_REASON_PAYMENT_DISPUTED},
};

struct status subscription_pb_read_feedback(
    struct ctx *cx, Billingos__V1__CancelFeedback feedback, const char **ret_word)
{
    if ((int)feedback < 0 || (size_t)feedback >= ARRAY_LEN(feedback_words)) {
        return status_field(cx, "feedback", "is not a value of CancelFeedback");
    }
    *ret_word = feedback_words[feedback];
    return STATUS_OK;
}

static Billingos__V1__CancelFeedback feedback_pb(const char *word)
{
    for (size_t i = 1; i < ARRAY_LEN(feedback_words); i++) {
        if (strcmp(feedback_words[i], word) == 0) {
            return (Billingos__V1__CancelFeedback)i;
        }
    }
    return BILLINGOS__V1__CANCEL_FEEDBACK__CANCEL_FEEDBACK_UNSPECIFIED;
}

static Billingos__V1__CancelReason cancel_reason_pb(const struct subscription *subscription)
{
    for (size_t i = 0; i < ARRAY_LEN(cancel_reasons); i++) {
        if (strcmp(cancel_reasons[i].word, subscription->cancel_reason) == 0) {
            return cancel_reasons[i].reason;
        }
    }
    return BILLINGOS__V1__CANCEL_REASON__CANCEL_REASON_UNSPECIFIED;
}

/* The words of the payment side; the numbers are those of CollectionPause and TrialEndBehavior. */
static const char *const collection_pause_words[] = {
    "", "keep_as_draft", "mark_uncollectible", "void"};
static const char *const trial_end_words[] = {"", "cancel", "pause", "create_invoice"};

static size_t word_number(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 1; i < count; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return 0;
}

struct status subscription_pb_read_collection_pause(
    struct ctx *cx, Billingos__V1__CollectionPause behavior, const char **ret_word)
{
    *ret_word = "";
    if (behavior == BILLINGOS__V1__COLLECTION_PAUSE__COLLECTION_PAUSE_UNSPECIFIED) {
        return status_field(cx, "behavior", "is required");
    }
    if ((int)behavior < 0 || (size_t)behavior >= ARRAY_LEN(collection_pause_words)) {
        return status_field(cx, "behavior", "is not a value of CollectionPause");
    }
    *ret_word = collection_pause_words[behavior];
    return STATUS_OK;
}

static void put_pause(
    struct ctx *cx, const struct subscription *subscription, Billingos__V1__Subscription *message)
{
    message->collection_pause = (Billingos__V1__CollectionPause)word_number(
        collection_pause_words, ARRAY_LEN(collection_pause_words), subscription->collection_pause);
    message->collection_resume_time = pb_time(cx, subscription->collection_resume_us);
    if (subscription->status == SUBSCRIPTION_PAUSED) {
        message->pause_time = pb_time(cx, subscription->pause_us);
        message->resume_time = pb_time(cx, subscription->resume_us);
    }
}

static Billingos__V1__SubscriptionItem *
item_pb(struct ctx *cx, const struct subscription_item *item)
{
    Billingos__V1__SubscriptionItem *message =
        PB_NEW(cx, Billingos__V1__SubscriptionItem, billingos__v1__subscription_item__init);

    message->item_id = pb_id(cx, ID_SUBSCRIPTION_ITEM, &item->item_id);
    message->price_id = pb_id(cx, ID_PRICE, &item->price_id);
    message->plan_id = pb_id(cx, ID_PLAN, &item->plan_id);
    message->plan_key = pb_text(item->plan_key);
    message->plan_version = item->plan_version;
    message->quantity = item->quantity;
    message->meter_key = pb_text(item->meter_key);
    message->is_addon = item->addon;
    return message;
}

static void put_items(
    struct ctx *cx, const struct subscription *subscription, Billingos__V1__Subscription *message)
{
    message->items = arena_alloc(
        cx->arena, (subscription->item_count + 1) * sizeof(Billingos__V1__SubscriptionItem *));
    for (size_t i = 0; i < subscription->item_count; i++) {
        message->items[message->n_items++] = item_pb(cx, &subscription->items[i]);
    }
}

static Billingos__V1__SubscriptionFailure *
failure_pb(struct ctx *cx, const struct subscription *subscription)
{
    const struct ProtobufCEnumValue *reason = NULL;
    Billingos__V1__SubscriptionFailure *message = NULL;
    char name[64];

    if (subscription->failure_reason[0] == '\0') {
        return NULL;
    }
    message =
        PB_NEW(cx, Billingos__V1__SubscriptionFailure, billingos__v1__subscription_failure__init);
    snprintf(name, sizeof name, "ERROR_REASON_%s", subscription->failure_reason);
    reason = protobuf_c_enum_descriptor_get_value_by_name(
        &billingos__v1__error_reason__descriptor, name);
    message->reason = reason == NULL ? BILLINGOS__V1__ERROR_REASON__ERROR_REASON_UNSPECIFIED
                                     : (Billingos__V1__ErrorReason)reason->value;
    message->decline_code = pb_text(subscription->decline_code);
    message->decline_class =
        (Billingos__V1__DeclineClass)decline_class_of(subscription->decline_code);
    message->message = pb_text(
        subscription->decline_code[0] != '\0' ? "the payment was declined"
                                              : "the payment side did not make it");
    return message;
}

static void put_times(
    struct ctx *cx, const struct subscription *subscription, Billingos__V1__Subscription *message)
{
    const bool started = subscription->status != SUBSCRIPTION_PENDING &&
                         subscription->status != SUBSCRIPTION_FAILED &&
                         subscription->status != SUBSCRIPTION_INCOMPLETE &&
                         subscription->status != SUBSCRIPTION_INCOMPLETE_EXPIRED;
    const int64_t start_us =
        subscription->start_us != 0 ? subscription->start_us : subscription->created_us;
    const int64_t cancel_us = subscription->cancel_at_us != 0      ? subscription->cancel_at_us
                              : subscription->cancel_at_period_end ? subscription->period_end_us
                                                                   : 0;

    message->start_time = pb_time(cx, started ? start_us : 0);
    message->current_period_start_time = pb_time(cx, subscription->period_start_us);
    message->current_period_end_time = pb_time(cx, subscription->period_end_us);
    message->trial_start_time = pb_time(cx, subscription->trial_start_us);
    message->trial_end_time = pb_time(cx, subscription->trial_end_us);
    message->cancel_time = pb_time(cx, subscription->ended_us != 0 ? 0 : cancel_us);
    message->cancel_request_time = pb_time(cx, subscription->canceled_us);
    message->end_time = pb_time(cx, subscription->ended_us);
    message->past_due_time = pb_time(cx, subscription->past_due_since_us);
    if (subscription->status == SUBSCRIPTION_PAST_DUE) {
        message->grace_end_time = pb_time(cx, subscription->grace_end_us);
    }
    message->create_time = pb_time(cx, subscription->created_us);
    message->update_time = pb_time(cx, subscription->updated_us);
    message->sync_time = pb_time(cx, subscription->synced_us);
}

Billingos__V1__Subscription *
subscription_pb(struct ctx *cx, const struct subscription *subscription)
{
    Billingos__V1__Subscription *message =
        PB_NEW(cx, Billingos__V1__Subscription, billingos__v1__subscription__init);

    message->subscription_id = pb_id(cx, ID_SUBSCRIPTION, &subscription->subscription_id);
    message->customer_id = pb_id(cx, ID_CUSTOMER, &subscription->customer_id);
    message->external_customer_id = pb_text(subscription->external_customer_id);
    message->status = (Billingos__V1__SubscriptionStatus)subscription->status;
    message->source = subscription->billed_here
                          ? BILLINGOS__V1__SUBSCRIPTION_SOURCE__SUBSCRIPTION_SOURCE_BILLINGOS
                          : BILLINGOS__V1__SUBSCRIPTION_SOURCE__SUBSCRIPTION_SOURCE_PAYMENT_ACCOUNT;
    message->plan_id = pb_id(cx, ID_PLAN, &subscription->plan_id);
    message->plan_key = pb_text(subscription->plan_key);
    message->plan_version = subscription->plan_version;
    put_items(cx, subscription, message);
    message->currency_code = pb_text(subscription->currency);
    put_times(cx, subscription, message);
    message->cancel_at_period_end = subscription->cancel_at_period_end;
    message->cancel_reason = cancel_reason_pb(subscription);
    message->cancel_feedback = feedback_pb(subscription->cancel_feedback);
    message->cancel_comment = pb_text(subscription->cancel_comment);
    message->collection_method = subscription->by_invoice
                                     ? BILLINGOS__V1__COLLECTION_METHOD__COLLECTION_METHOD_INVOICE
                                     : BILLINGOS__V1__COLLECTION_METHOD__COLLECTION_METHOD_CHARGE;
    message->days_until_due = (int32_t)subscription->days_until_due;
    put_pause(cx, subscription, message);
    message->trial_end_behavior = (Billingos__V1__TrialEndBehavior)word_number(
        trial_end_words, ARRAY_LEN(trial_end_words), subscription->trial_end_behavior);
    message->latest_invoice_id = pb_id(cx, ID_INVOICE, &subscription->latest_invoice_id);
    message->failure = failure_pb(cx, subscription);
    message->metadata = pb_map(
        cx,
        subscription->metadata,
        &billingos__v1__subscription__metadata_entry__descriptor,
        &message->n_metadata);
    message->etag = pb_text(arena_printf(cx->arena, "%" PRId64, subscription->version));
    return message;
}
