#pragma once

/* A change of a subscription that waits for the end of the period. */

#include <stdint.h>

#include "base/id.h"

struct scheduled_change {
    struct id change_id;
    struct id subscription_id;
    struct id plan_id;
    int32_t plan_version;
    struct id price_id;
    int64_t quantity;
    int64_t effective_us;
    const char *actor;
    const char *account_id;         /* of the payment side, which makes the change ... */
    const char *stripe_schedule_id; /* ... by this */
    int64_t created_us;
};
