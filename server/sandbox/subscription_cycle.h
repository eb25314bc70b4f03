#pragma once

/* What happens to subscriptions in time.
 *
 *     create --with a trial--> trialing --trial is over--> active
 *     create --first invoice paid, or nothing due--------> active
 *     create --first payment failed--> incomplete --paid--> active
 *                                      incomplete --23 hours--> incomplete_expired
 *     active --renewal not paid--> past_due --paid--> active
 *                                  past_due --retries exhausted--> canceled, unpaid or paused
 *     active --period end, when asked for--> canceled
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct customer;
struct invoice;
struct sim;
struct subscription;

/* Makes the first periods, the first invoice and the first status of a new subscription and tells
 * about all of it. With collect, the first invoice is charged at once. */
void subscription_cycle_start(struct sim *sim, struct subscription *subscription, bool collect);

/* The first invoice's amount, before anything is made. */
int64_t subscription_cycle_first_amount(const struct subscription *subscription);

/* Periods that are over begin anew at now_s; an invoice is made for what they cost. immediately:
 * the invoice is not a draft for an hour. */
void subscription_cycle_renew(struct sim *sim, struct subscription *subscription, bool immediately);

/* Told by the invoice. */
void subscription_cycle_paid(
    struct sim *sim, struct subscription *subscription, const struct invoice *invoice);
void subscription_cycle_failed(
    struct sim *sim, struct subscription *subscription, struct invoice *invoice, bool exhausted);

/* Ends it now. reason: of cancellation_details. */
void subscription_cycle_cancel(
    struct sim *sim, struct subscription *subscription, const char *reason);
void subscription_cycle_cancel_all(struct sim *sim, struct customer *customer);

void subscription_cycle_pause(struct sim *sim, struct subscription *subscription, const char *type);

/* How a paused one goes on. */
struct resumption {
    bool new_period; /* begins now; else the periods go on by their anchor */
    bool attempt;    /* active before it is paid; else it stays paused until then */
};

/* Charges what the customer gets and has not paid: the new period, or the rest of the one that
 * surrounds the moment. */
void subscription_cycle_resume(
    struct sim *sim, struct subscription *subscription, struct resumption how);
