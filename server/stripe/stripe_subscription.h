#pragma once

/* Subscriptions at the payment side. account_id is the merchant's account, never "".
 * Failures: stripe_client.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"
#include "http/json.h"

struct buf;
struct ctx;
struct stripe_client;
struct stripe_form;

struct stripe_subscription_line {
    const char *price_id;
    int64_t quantity; /* 0: left out, as metered prices want it */
};

struct stripe_subscription_params {
    const char *customer_id;
    const struct stripe_subscription_line *lines;
    size_t line_count;
    int64_t trial_end_us;           /* 0: trial_days */
    int64_t trial_days;             /* 0: no trial */
    const char *trial_end_behavior; /* without a payment method: "cancel", "pause",
                                     * "create_invoice"; "" = the payment side's default */
    int64_t anchor_us;              /* when periods begin; 0: now, or with the end of the trial */
    int64_t backdate_us;            /* when it started; the time until now is not charged. 0: now */
    const char *default_payment_method;
    const char *payment_behavior; /* "default_incomplete", "error_if_incomplete"; "" = the payment
                                   * side's default, allow_incomplete */
    bool by_invoice;              /* the customer is sent invoices */
    int64_t days_until_due;       /* by_invoice only */
    int32_t application_fee_bps;  /* of each invoice, for the platform; 0: none */
    const char *coupon;
    struct payment_marks marks;
};

/* One item as it shall be. Its id makes it that item: without it another one is added, and billed.
 */
struct stripe_item_change {
    const char *item_id;  /* "" = a new one */
    const char *price_id; /* "" = as it is */
    int64_t quantity;     /* 0: left out, as metered prices want it */
    bool remove;
};

/* What is to change; 0 and "" leave as it is. */
struct stripe_subscription_change {
    const struct stripe_item_change *items;
    size_t item_count;
    const char *proration_behavior; /* "always_invoice", "create_prorations", "none" */
    int64_t proration_us;           /* as the preview had it */
    const char *payment_behavior;
    const char *default_payment_method;
};

struct stripe_subscription_end {
    bool invoice_now;     /* what was used and not yet billed; at once only */
    bool prorate;         /* credit for what was paid and not used; at once only */
    const char *feedback; /* "too_expensive" */
    const char *comment;
};

struct payment_subscription_page {
    const struct payment_subscription *subscriptions; /* newest first */
    size_t count;
    bool has_more;
};

struct status stripe_subscription_create(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_subscription_params *params,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription) MUST_CHECK;
struct status stripe_subscription_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    struct payment_subscription *ret_subscription) MUST_CHECK;

/* Of the whole account, by pages. live: without those that have ended. */
struct status stripe_subscription_list_all(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    bool live,
    const char *starting_after,
    int64_t limit,
    struct payment_subscription_page *ret_page) MUST_CHECK;

/* Of one customer ("" = all of the account), ended ones too. starting_after: the last id of the
 * page before, "" = the first page. limit: 1 to 100. */
struct status stripe_subscription_list(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *customer_id,
    const char *starting_after,
    int64_t limit,
    struct payment_subscription_page *ret_page) MUST_CHECK;
struct status stripe_subscription_change(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct stripe_subscription_change *change,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription) MUST_CHECK;

/* At once. The payment side takes no key for this: when the outcome is open, or it says that there
 * is nothing to cancel, the subscription is read, and one that is canceled is a success. */
struct status stripe_subscription_cancel(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct stripe_subscription_end *end,
    struct payment_subscription *ret_subscription) MUST_CHECK;

/* At the end of what has been paid; the other takes that back. */
struct status stripe_subscription_cancel_at_period_end(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const struct stripe_subscription_end *end,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription) MUST_CHECK;
struct status stripe_subscription_keep(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const char *idempotency_key,
    struct payment_subscription *ret_subscription) MUST_CHECK;

/* The items and how they are prorated, as parameters. For the files of this folder. */
void stripe_subscription_put_change(
    struct stripe_form *form, const struct stripe_subscription_change *change);

/* All but raw, with the items that the object carries (at most 10 of the payment side's making);
 * *ret_has_more: there are more, which only the calls above fetch. */
void stripe_subscription_read(
    struct ctx *cx,
    json_value object,
    struct payment_subscription *ret_subscription,
    bool *ret_has_more);

/* A change of one subscription, for the files of this folder. */
struct stripe_subscription_post {
    const char *endpoint; /* "subscriptions.pause" */
    const char *account_id;
    const char *subscription_id;
    const char *suffix; /* "/pause"; "" = the subscription itself */
    const char *idempotency_key;
};
struct status stripe_subscription_post(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_post *post,
    const struct buf *body,
    struct payment_subscription *ret_subscription) MUST_CHECK;

/* The items of a list object, and the period that follows from them. For the files of this folder.
 */
void stripe_subscription_read_items(
    struct ctx *cx, json_value list, struct payment_subscription *subscription);

/* What its invoices are charged to, whatever the default of the customer is. */
struct status stripe_subscription_set_payment_method(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const char *payment_method_id,
    const char *idempotency_key) MUST_CHECK;
