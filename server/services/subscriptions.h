#pragma once

/* What customers subscribe to. Reads are answered from the mirror; changes are claimed here, made
 * at the payment side and settled here (services/intents.h). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/price.h"
#include "domain/subscription.h"
#include "services/entitlements.h"
#include "services/intents.h"
#include "services/keyed.h"
#include "store/subscription_store.h"

struct ctx;
struct services;

#define SUBSCRIPTION_CANCEL_METHOD "billingos.v1.SubscriptionService/CancelSubscription"
#define SUBSCRIPTION_UNDO_CANCEL_METHOD "billingos.v1.SubscriptionService/UndoCancelSubscription"

/* What is asked for. */
struct subscription_order {
    struct customer_ref customer;
    const struct id *plan_id; /* NULL: plan_key */
    const char *plan_key;
    int32_t plan_version;           /* 0: the one on sale */
    struct id price_id;             /* zero: the one that fits interval and currency */
    enum billing_interval interval; /* 0: any */
    const char *currency;           /* "" = that of the customer, else of the organisation */
    int64_t quantity;
    bool trial_given; /* trial_days or trial_end_us instead of the trial of the plan */
    int32_t trial_days;
    int64_t trial_end_us;
    const char *trial_end_behavior; /* of the payment side: "cancel", "pause", "create_invoice" */
    const char *payment_method_id;  /* "" = the default of the customer */
    int64_t anchor_us;              /* when periods begin; 0 = now, or at the end of the trial */
    int64_t backdate_us;            /* when it started, in the past; 0 = now */
    struct id coupon_id;            /* zero: none */
    bool by_invoice;
    int32_t days_until_due;
    bool allow_incomplete; /* an unpaid first invoice leaves INCOMPLETE, not FAILED */
    bool allow_multiple;
    const char *metadata; /* JSON object of texts */
};

/* Fails as CreateSubscription in the API says. A failure with PAYMENT_DECLINED leaves a FAILED row.
 */
struct status subscriptions_create(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_order *order,
    struct subscription *ret_subscription) MUST_CHECK;
struct status subscriptions_create_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;

/* With its items. Fails with SUBSCRIPTION_NOT_FOUND. */
struct status subscriptions_get(
    struct ctx *cx,
    struct services *services,
    const struct id *subscription_id,
    struct subscription *ret_subscription) MUST_CHECK;

/* Newest first, at most max. customer and filter->plan_id are checked: CUSTOMER_NOT_FOUND,
 * PLAN_NOT_FOUND. customer NULL: of all. */
struct status subscriptions_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct subscription_filter *filter,
    size_t max,
    struct subscription **ret_subscriptions,
    size_t *ret_count) MUST_CHECK;

struct subscription_end {
    struct id subscription_id;
    bool at_period_end;
    bool credit;          /* now: what was paid and not used goes to the balance of the customer */
    bool invoice_usage;   /* now: usage that is not invoiced yet is charged */
    const char *feedback; /* of the payment side, "too_expensive"; "" = none */
    const char *comment;
    const char *etag; /* "" = not checked */
};

/* Ending what has ended succeeds. Fails with SUBSCRIPTION_NOT_FOUND, SUBSCRIPTION_STATE_INVALID,
 * SUBSCRIPTION_BUSY, ETAG_MISMATCH. */
struct status subscriptions_cancel(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_end *end,
    struct subscription *ret_subscription) MUST_CHECK;
struct status subscriptions_undo_cancel(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_end *end,
    struct subscription *ret_subscription) MUST_CHECK;

/* Both of them: what intent->request says. */
struct status subscriptions_cancel_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
