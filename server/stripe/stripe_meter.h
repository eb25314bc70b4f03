#pragma once

/* Meters at the payment side, which metered prices need there. account_id is the merchant's
 * account, never "". Failures: stripe_client.h. */

#include "base/status.h"

struct ctx;
struct stripe_client;

struct stripe_meter_params {
    const char *event_name; /* under which usage is sent */
    const char *display_name;
    const char *formula; /* "sum", "count", "last" */
};

struct status stripe_meter_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_meter_params *params,
    const char *idempotency_key,
    const char **ret_meter_id) MUST_CHECK;
