#pragma once

/* Customers as the payment side has them.
 *
 * Who owns what. The default payment method, the balance and delinquency are the payment side's:
 * taken as read. E-mail, name, phone and address can be changed on both sides; such a field is
 * taken when it has changed there since it was last read, so that the later change wins and a
 * webhook about something else never undoes what the merchant wrote here. At the first sight it is
 * taken only where ours is empty. What does not pass our own rules is not taken. Everything else
 * (the merchant's own id, currency, locale, time zone, metadata, archiving) is ours.
 *
 * Deleted there: the customer stays here, with its history and what is free; it has no payment
 * methods any more, its subscriptions are read anew (the payment side has ended them), and the next
 * sale makes a new customer there. */

#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"

struct ctx;
struct tx;

/* Applies what was read unless something newer is there. None of ours: nothing happens. */
struct status customer_apply(
    struct ctx *cx, struct tx *tx, const struct payment_customer *payment, int64_t fetch_number)
    MUST_CHECK;
