#pragma once

/* Standing still and going on. Two different things, kept apart:
 *
 *     collection paused    nobody is asked for money; status, periods and access go on
 *     subscription paused  PAUSED: no access, no invoices, the period stands still
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/subscription.h"
#include "services/intents.h"
#include "services/keyed.h"

struct ctx;
struct services;

#define SUBSCRIPTION_PAUSE_COLLECTION_METHOD "billingos.v1.SubscriptionService/PauseCollection"
#define SUBSCRIPTION_RESUME_COLLECTION_METHOD "billingos.v1.SubscriptionService/ResumeCollection"
#define SUBSCRIPTION_PAUSE_METHOD "billingos.v1.SubscriptionService/PauseSubscription"
#define SUBSCRIPTION_RESUME_METHOD "billingos.v1.SubscriptionService/ResumeSubscription"

struct subscription_pause {
    struct id subscription_id;
    const char *etag;     /* "" = not checked */
    const char *behavior; /* collection: of the payment side, "keep_as_draft" */
    int64_t resume_us;    /* 0: not by itself */
    bool credit;          /* access: the unused time goes to the balance of the customer */
};

struct subscription_resume {
    struct id subscription_id;
    const char *etag;
    bool new_period; /* access: begins now; else the period goes on where it stood still */
};

/* All fail as subscription_verb_run() does. */
struct status subscriptions_pause_collection(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_pause *pause,
    struct subscription *ret_subscription) MUST_CHECK;

/* Succeeds when collection is not paused. What was kept as a draft is collected. */
struct status subscriptions_resume_collection(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_resume *resume,
    struct subscription *ret_subscription) MUST_CHECK;
struct status subscriptions_pause(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_pause *pause,
    struct subscription *ret_subscription) MUST_CHECK;

/* Fails with PAYMENT_DECLINED and PAYMENT_METHOD_MISSING when something is to be paid first: then
 * it stays PAUSED. */
struct status subscriptions_resume(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_resume *resume,
    struct subscription *ret_subscription) MUST_CHECK;

/* Resumes what has met its date, of all organisations, at most max. One that cannot be resumed
 * stays paused and is not tried again. */
struct status subscriptions_resume_due(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;

struct status subscriptions_pause_collection_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
struct status subscriptions_resume_collection_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
struct status subscriptions_pause_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
struct status subscriptions_resume_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
