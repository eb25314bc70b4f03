#pragma once

/* What makes a subscription stand still at the payment side, and go on. Two different things:
 * paused collection leaves status and periods alone and treats the invoices otherwise; a paused
 * subscription has no invoices and its period does not advance. Failures: stripe_client.h. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"

struct ctx;
struct stripe_client;

/* Which subscription, and the key of the call. */
struct stripe_subscription_target {
    const char *account_id; /* never "" */
    const char *subscription_id;
    const char *idempotency_key;
};

/* behavior: "keep_as_draft", "mark_uncollectible", "void". resumes_us: by itself then; 0: never. */
struct status stripe_subscription_pause_collection(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    const char *behavior,
    int64_t resumes_us,
    struct payment_subscription *ret_subscription) MUST_CHECK;
struct status stripe_subscription_resume_collection(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    struct payment_subscription *ret_subscription) MUST_CHECK;

/* A draft that was kept while collection was paused is finalised and collected like any other. */
struct status stripe_subscription_collect_draft(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *invoice_id,
    const char *idempotency_key) MUST_CHECK;

/* credit: what was paid and not used goes to the balance of the customer. */
struct status stripe_subscription_pause(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    bool credit,
    struct payment_subscription *ret_subscription) MUST_CHECK;

/* new_period: begins now; else the periods go on as they were. What is to be paid is paid first:
 * when that does not succeed it stays paused, with the invoice open as its latest. */
struct status stripe_subscription_resume(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    bool new_period,
    struct payment_subscription *ret_subscription) MUST_CHECK;

/* The end of a trial, 0: now. One that ends now is paid now: PAYMENT_DECLINED leaves it running. */
struct status stripe_subscription_move_trial(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_subscription_target *target,
    int64_t trial_end_us,
    struct payment_subscription *ret_subscription) MUST_CHECK;
