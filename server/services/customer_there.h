#pragma once

/* The customer of the payment side that stands for one of ours: made there when it is first needed.
 */

#include "base/id.h"
#include "base/status.h"

struct ctx;
struct intent;
struct services;
struct stripe_client;

/* As it was when the intent was claimed, so that every try sends the same. */
struct customer_there {
    const char *account_id;
    const char *org_id;
    struct id customer_id;
    const char *email;
    const char *name;
};

/* Makes it once, whoever comes first. *ret_id is its id there. Failures: stripe_client.h. */
struct status customer_there_ensure(
    struct ctx *cx,
    struct services *services,
    struct stripe_client *client,
    const struct intent *intent,
    const struct customer_there *who,
    const char **ret_id) MUST_CHECK;
