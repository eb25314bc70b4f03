#pragma once

/* From the payment side's subscription to ours: the one guarded write that the call which made it,
 * the resolver and every webhook go through. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "domain/payment.h"
#include "domain/subscription.h"

struct ctx;
struct services;
struct tx;

/* The method whose open intent a subscription that appears by webhook settles. */
#define SUBSCRIPTION_CREATE_METHOD "billingos.v1.SubscriptionService/CreateSubscription"

struct subscription_applied {
    bool known; /* false: not ours, and sold under no price of ours; nothing was written */
    bool older; /* what we have was read later; nothing was written */
    struct subscription subscription; /* as it is now, with its items; when known */
};

/* Writes what was read under fetch_number into the caller's organisation: the row with this id of
 * the payment side, else the one that its marks name, else a new one when we know customer and
 * price (it was made outside). Rebuilds what the customer may use and adds the events. */
struct status subscription_apply(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct payment_subscription *payment,
    int64_t fetch_number,
    struct subscription_applied *ret_applied) MUST_CHECK;

/* It never came to be: a PENDING row becomes FAILED, with its event. Another one stays. */
struct status subscription_give_up(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    enum reason reason,
    const char *decline_code) MUST_CHECK;

/* An event about the subscription as it is. old_status NULL: it was made. */
struct status subscription_tell(
    struct ctx *cx,
    struct tx *tx,
    enum event_type type,
    const struct subscription *subscription,
    const char *old_status) MUST_CHECK;
