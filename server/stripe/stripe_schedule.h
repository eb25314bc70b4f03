#pragma once

/* What a subscription becomes with its next period, at the payment side. account_id is the
 * merchant's account, never "". Failures: stripe_client.h. */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ctx;
struct stripe_client;
struct stripe_subscription_line;

struct stripe_schedule {
    const char *id;
    int64_t start_us; /* of the current phase, which is the current period */
    int64_t end_us;
};

/* With one phase: the current period as it is. */
struct status stripe_schedule_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const char *idempotency_key,
    struct stripe_schedule *ret_schedule) MUST_CHECK;

struct stripe_schedule_lines {
    const struct stripe_subscription_line *lines;
    size_t count;
};

/* After the current phase, whose lines are `before`, the subscription has the lines `after`; a day
 * later the schedule lets go of it. Nothing is prorated: a period ends and another one begins. */
struct status stripe_schedule_set(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_schedule *schedule,
    struct stripe_schedule_lines before,
    struct stripe_schedule_lines after,
    const char *idempotency_key) MUST_CHECK;

/* The subscription goes on as it is. One that has let go already is a success. */
struct status stripe_schedule_release(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *schedule_id,
    const char *idempotency_key) MUST_CHECK;
