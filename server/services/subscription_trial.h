#pragma once

/* The end of a running trial: moved, or now. Both fail as subscription_verb_run() does, with
 * TRIAL_NOT_RUNNING when there is none. */

#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/subscription.h"
#include "services/intents.h"
#include "services/keyed.h"

struct ctx;
struct services;

#define SUBSCRIPTION_EXTEND_TRIAL_METHOD "billingos.v1.SubscriptionService/ExtendTrial"
#define SUBSCRIPTION_END_TRIAL_METHOD "billingos.v1.SubscriptionService/EndTrial"

struct subscription_trial {
    struct id subscription_id;
    const char *etag; /* "" = not checked */
    int64_t end_us;   /* in the future; subscriptions_extend_trial() only */
};

/* FIELD_INVALID when the end is more than two years after the start of the trial. */
struct status subscriptions_extend_trial(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_trial *trial,
    struct subscription *ret_subscription) MUST_CHECK;

/* Tries the first payment. PAYMENT_DECLINED and PAYMENT_METHOD_MISSING leave the trial running. */
struct status subscriptions_end_trial(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_trial *trial,
    struct subscription *ret_subscription) MUST_CHECK;

/* Both of them. */
struct status subscriptions_trial_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
