#pragma once

/* What is sent to the payment side for a change of a subscription, written down with the claim, or
 * with the preview, so that every try sends the same. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "domain/subscription.h"
#include "domain/subscription_change.h"
#include "stripe/stripe_subscription.h"

struct ctx;

#define SUBSCRIPTION_CHANGES_MAX \
    ((size_t)2 * SUBSCRIPTION_ITEMS_MAX) /* each one goes, each one comes */

struct subscription_change_request {
    const char *account_id;
    const char *stripe_subscription_id;
    struct stripe_item_change items[SUBSCRIPTION_CHANGES_MAX];
    size_t item_count;
    enum change_timing timing; /* NOW or AT_PERIOD_END */
    enum change_proration proration;
    int64_t proration_us; /* 0: when it gets there */
    /* AT_PERIOD_END: the whole of it, and what it is to us */
    struct stripe_subscription_line before[SUBSCRIPTION_ITEMS_MAX];
    size_t before_count;
    struct stripe_subscription_line after[SUBSCRIPTION_ITEMS_MAX];
    size_t after_count;
    struct id plan_id;
    int32_t plan_version;
    struct id price_id;
    int64_t quantity;
    bool by_invoice; /* the customer pays later, so nothing can be declined */
};

/* In the arena of cx. */
struct str
subscription_change_write(struct ctx *cx, const struct subscription_change_request *request);

struct status subscription_change_read(
    struct ctx *cx, struct str text, struct subscription_change_request *ret_request) MUST_CHECK;

/* As the adapter takes it; borrows from the request. A decline leaves everything as it was. */
struct stripe_subscription_change
subscription_change_there(const struct subscription_change_request *request);

/* Whether the subscription has these items already. */
bool subscription_change_made(
    const struct subscription_change_request *request, const struct payment_subscription *there);
