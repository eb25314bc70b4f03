#pragma once

/* What can be changed about a running subscription, and when. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "domain/price.h"
#include "domain/subscription.h"

/* The numbers are those of billingos.v1.ChangeTiming. */
enum change_timing {
    CHANGE_TIMING_BY_DIRECTION = 0,
    CHANGE_TIMING_NOW = 1,
    CHANGE_TIMING_AT_PERIOD_END = 2,
};

/* The numbers are those of billingos.v1.Proration, whose 0 is read as INVOICE_NOW. */
enum change_proration {
    PRORATION_INVOICE_NOW = 1,
    PRORATION_NEXT_INVOICE = 2,
    PRORATION_NONE = 3,
};

/* "always_invoice", as the payment side writes it. */
const char *change_proration_word(enum change_proration proration);

/* What is asked per period. */
struct recurring {
    enum billing_interval interval;
    int64_t interval_count;
    int64_t minor;
};

/* When the change happens unless it is said: a longer interval, or the same one for as much money
 * or more, at once; everything else at the end of what has been paid. */
enum change_timing change_timing_by_direction(struct recurring before, struct recurring after);

/* Whether its items can be changed: it runs, and is paid for or will be. */
bool change_allowed(enum subscription_status status);
