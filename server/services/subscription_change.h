#pragma once

/* Changing what is sold under a running subscription: previewed, then made. */

#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/payment.h"
#include "domain/subscription.h"
#include "services/intents.h"
#include "services/keyed.h"
#include "services/subscription_answer.h"
#include "services/subscription_target.h"

struct ctx;
struct services;

#define SUBSCRIPTION_CHANGE_METHOD "billingos.v1.SubscriptionService/ChangeSubscription"

struct subscription_change_order {
    struct id subscription_id;
    struct id preview_id;          /* zero: the wish holds */
    struct subscription_wish wish; /* without a preview */
    const char *etag;              /* "" = not checked */
};

/* Fails as ChangeSubscription in the API says. A declined payment leaves everything as it was. */
struct status subscriptions_change(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_change_order *order,
    struct subscription_answer *ret_answer) MUST_CHECK;
struct status subscriptions_change_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;

struct subscription_preview_line {
    struct id price_id; /* zero: none of ours */
    const struct payment_preview_line *line;
};

struct subscription_preview {
    struct id preview_id;
    const char *currency;
    int64_t due_minor;    /* charged with the change */
    int64_t credit_minor; /* put to the balance of the customer */
    int64_t next_minor;
    int64_t next_us;
    int64_t before_minor; /* per period */
    int64_t after_minor;
    const struct subscription_preview_line *lines;
    size_t line_count;
    int64_t effective_us;
    int64_t expires_us;
};

/* What the change would cost; it can be made by its id while nothing else changes the subscription.
 * Fails as PreviewSubscriptionChange in the API says. */
struct status subscriptions_preview_change(
    struct ctx *cx,
    struct services *services,
    const struct id *subscription_id,
    const struct subscription_wish *wish,
    struct subscription_preview *ret_preview) MUST_CHECK;
