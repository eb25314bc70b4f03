#pragma once

/* The middle step of publishing: what is made at the payment side, with no transaction open. The
 * same again with every try, since each step has a key of its own. */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"

struct ctx;
struct intent;
struct publish_request;
struct services;

struct publish_made {
    const char *product_id;
    struct {
        struct id price_id;
        const char *stripe_id;
    } * prices;
    size_t price_count;
};

/* Fails as stripe/stripe_client.h says, and with FIELD_INVALID or QUANTITY_OVERFLOW when an amount
 * cannot be said there. */
struct status publish_there(
    struct ctx *cx,
    struct services *services,
    const struct intent *intent,
    const struct publish_request *request,
    struct publish_made *ret_made) MUST_CHECK;
