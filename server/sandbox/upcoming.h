#pragma once

/* Invoices that are computed and never made: what a change would charge now, and the next regular
 * one. The lines are those that the change and the renewal themselves make. */

#include "sandbox/call.h"
#include "sandbox/invoice.h"

struct item_change;
struct sim;
struct subscription;

/* With a change that is billed at once (item_change.h): that invoice. Otherwise the one of the next
 * period; change NULL: nothing is changed. Valid as long as the request; it is in no list. */
void upcoming_invoice(
    struct sim *sim,
    const struct subscription *subscription,
    const struct item_change *change,
    struct invoice *ret_invoice);

/* POST /v1/invoices/create_preview. */
extern const struct endpoint upcoming_api[];
