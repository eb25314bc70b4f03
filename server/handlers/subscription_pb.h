#pragma once

/* Subscriptions between their messages and the domain. Memory is of the arena of cx. */

#include <billingos/v1/subscription_service.pb-c.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/subscription.h"
#include "services/subscriptions.h"

struct ctx;

Billingos__V1__Subscription *
subscription_pb(struct ctx *cx, const struct subscription *subscription);

/* The texts and ids that an order borrows. */
struct subscription_order_parts {
    struct id customer_id;
    struct id plan_id;
};

/* What is asked for. Fails with FIELD_INVALID (also for what is not supported yet),
 * QUANTITY_NEGATIVE, CURRENCY_UNKNOWN, SOURCE_NOT_SUPPORTED. */
struct status subscription_pb_read_order(
    struct ctx *cx,
    const Billingos__V1__CreateSubscriptionRequest *request,
    struct subscription_order_parts *parts,
    struct subscription_order *ret_order) MUST_CHECK;

/* An id from a list or a token; "" = none. */
struct status
subscription_pb_check_payment_method(struct ctx *cx, const char *field, const char *id) MUST_CHECK;

/* The word of the payment side; it is required. */
struct status subscription_pb_read_collection_pause(
    struct ctx *cx, Billingos__V1__CollectionPause behavior, const char **ret_word) MUST_CHECK;

/* "too_expensive", as the payment side writes it; "" for UNSPECIFIED. Fails with FIELD_INVALID. */
struct status subscription_pb_read_feedback(
    struct ctx *cx, Billingos__V1__CancelFeedback feedback, const char **ret_word) MUST_CHECK;
