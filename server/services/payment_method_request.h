#pragma once

/* What an intent about a payment method asks the payment side for: written by the claim, read by
 * every try. */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "services/customer_there.h"
#include "services/payment_methods.h"

#define PAYMENT_METHOD_ATTACH "attach"
#define PAYMENT_METHOD_SET_DEFAULT "set_default"
#define PAYMENT_METHOD_DETACH "detach"
#define PAYMENT_METHOD_NOTHING "nothing" /* it is so already */

struct payment_method_request {
    const char *verb;
    struct customer_there customer;
    const char *payment_method_id;
    bool make_default;
    const char *subscriptions[PAYMENT_METHOD_SUBSCRIPTIONS_MAX]; /* of the payment side */
    size_t subscription_count;
};

struct str
payment_method_request_write(struct ctx *cx, const struct payment_method_request *request);
struct status payment_method_request_read(
    struct ctx *cx, struct str text, struct payment_method_request *ret_request) MUST_CHECK;
