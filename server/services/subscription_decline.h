#pragma once

/* A payment that was tried along with a change of a subscription and was declined, in the words of
 * our API. */

#include "base/status.h"

struct ctx;
struct id;
struct payment_error;

/* PAYMENT_DECLINED with decline_code, decline_class and subscription_id. */
struct status subscription_declined(
    struct ctx *cx, const struct payment_error *error, const struct id *subscription_id);
