#pragma once

/* What a change in the middle of a period costs: credit for the unused part of what was really
 * charged, debit for the rest of the period at the new price, to the second. */

#include <stddef.h>
#include <stdint.h>

#include "sandbox/invoice.h"

struct sim;
struct subscription;
struct subscription_item;

/* Either item may be NULL: added or removed. Writes up to two lines; how many. */
size_t proration_lines(
    struct sim *sim,
    const struct subscription_item *old_item,
    const struct subscription_item *new_item,
    int64_t at_s,
    struct invoice_line ret_lines[2]);
