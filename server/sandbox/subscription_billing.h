#pragma once

/* What goes onto the invoices of a subscription: whole periods in advance, metered usage
 * afterwards, and the prorations that were kept for the next one. */

#include <stddef.h>
#include <stdint.h>

struct invoice;
struct invoice_line;
struct sim;
struct subscription;
struct subscription_item;

/* Fills a line for the current period of the item. */
void subscription_billing_line(
    struct sim *sim,
    const struct subscription *subscription,
    const struct subscription_item *item,
    struct invoice_line *ret_line);

/* Each adds the line of an item when it is of that sort: paid ahead, or paid for what was used. */
void subscription_billing_add_ahead(
    struct sim *sim,
    struct subscription *subscription,
    struct invoice *invoice,
    struct subscription_item *item);
void subscription_billing_add_used(
    struct sim *sim,
    struct subscription *subscription,
    struct invoice *invoice,
    const struct subscription_item *item);

/* Lines that wait for the next invoice, and that invoice. */
void subscription_billing_keep(
    struct sim *sim,
    struct subscription *subscription,
    const struct invoice_line *lines,
    size_t count);
void subscription_billing_add_kept(
    struct sim *sim, struct subscription *subscription, struct invoice *invoice);

/* A coupon for once has been used, when the invoice has. */
void subscription_billing_use_discount(
    struct subscription *subscription, const struct invoice *invoice);

/* Adds up, tells about and charges a draft, without the hour. */
void subscription_billing_collect(struct sim *sim, struct invoice *invoice);

/* An invoice for what waits, charged at once. */
void subscription_billing_invoice_kept(
    struct sim *sim, struct subscription *subscription, const char *reason);

/* The same at the end of a subscription, with the usage that was not paid for yet. */
void subscription_billing_invoice_rest(struct sim *sim, struct subscription *subscription);
