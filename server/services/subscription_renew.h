#pragma once

/* A PAST_DUE or UNPAID subscription is brought back by paying what is open. */

#include "base/id.h"
#include "base/status.h"
#include "domain/subscription.h"
#include "services/intents.h"
#include "services/keyed.h"

struct ctx;
struct services;

#define SUBSCRIPTION_RENEW_METHOD "billingos.v1.SubscriptionService/RenewSubscription"

struct subscription_renewal {
    struct id subscription_id;
    const char *etag; /* "" = not checked */
    const char
        *payment_method_id; /* kept for the subscription once it has paid; "" = what it has */
};

/* Fails as subscription_verb_run() does, and with PAYMENT_DECLINED, PAYMENT_METHOD_MISSING and
 * PAYMENT_METHOD_NOT_FOUND. Invoices that were paid before a decline stay paid. */
struct status subscriptions_renew(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_renewal *renewal,
    struct subscription *ret_subscription) MUST_CHECK;
struct status subscriptions_renew_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
