#pragma once

/* A change of a subscription's items: planned and checked first, then applied, then billed. With an
 * id an item is changed, without one another item is added: the classic way to bill twice. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "sandbox/invoice.h"
#include "sandbox/subscription.h"

struct call;
struct sim;

#define ITEM_CHANGE_MAX (2 * SUBSCRIPTION_ITEMS_MAX)

/* The items as they will be; a position keeps the item that was there, price NULL: removed. */
struct item_change {
    struct subscription_item items[ITEM_CHANGE_MAX];
    size_t count;
    int64_t at_s;
    struct invoice_line lines[2 * ITEM_CHANGE_MAX]; /* prorations, and the whole of a new period */
    size_t line_count;
    bool any;
    bool prorate;
    bool interval; /* a new interval begins a new period, which is charged whole */
    bool bill_now; /* else the lines wait for the next invoice */
};

/* Reads items[...], proration_behavior and proration_date; changes nothing. */
bool item_change_plan(
    struct call *call,
    const struct subscription *subscription,
    struct item_change *change) MUST_CHECK;

/* Whether what it makes due now can be charged, as payment_behavior demands. */
bool item_change_check_payment(
    struct call *call,
    const struct subscription *subscription,
    const struct item_change *change) MUST_CHECK;
void item_change_apply(
    struct call *call, struct subscription *subscription, struct item_change *change);
void item_change_bill(
    struct sim *sim, struct subscription *subscription, const struct item_change *change);
