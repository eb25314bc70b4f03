#pragma once

/* Changes of subscriptions between their messages and the domain. Memory is of the arena of cx. */

#include <billingos/v1/subscription_service.pb-c.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "services/subscription_change.h"

struct ctx;

/* What is asked for; *plan_id is borrowed by the wish. path: "change". Fails with FIELD_INVALID
 * (also for what is not supported yet), QUANTITY_NEGATIVE, PRICE_NOT_FOUND. */
struct status subscription_change_pb_read(
    struct ctx *cx,
    const Billingos__V1__SubscriptionChange *change,
    struct id *plan_id,
    struct subscription_wish *ret_wish) MUST_CHECK;

Billingos__V1__ScheduledChange *
subscription_change_pb_scheduled(struct ctx *cx, const struct scheduled_change *change);

Billingos__V1__ChangePreview *
subscription_change_pb_preview(struct ctx *cx, const struct subscription_preview *preview);
