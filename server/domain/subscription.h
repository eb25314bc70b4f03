#pragma once

/* A subscription and its states. Pure.
 *
 *     PENDING --> INCOMPLETE --> INCOMPLETE_EXPIRED (final)
 *        |  \         |
 *        |   \        v
 *        |    `--> TRIALING <--> ACTIVE <--> PAST_DUE, UNPAID, PAUSED      each of these -->
 * CANCELED (final)
 *        v
 *      FAILED (final, unless the payment side turns out to have it after all)
 *
 * The payment side decides; states in between may be missed, so any of its states may follow any
 * other. Only what has ended there never lives again (subscription_move()). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "domain/entitlement.h"
#include "domain/event.h"

/* X(NAME, number in billingos.v1.SubscriptionStatus, how the payment side writes it) */
#define SUBSCRIPTION_STATUSES(X)                   \
    X(PENDING, 1, "")                              \
    X(FAILED, 2, "")                               \
    X(TRIALING, 3, "trialing")                     \
    X(ACTIVE, 4, "active")                         \
    X(INCOMPLETE, 5, "incomplete")                 \
    X(INCOMPLETE_EXPIRED, 6, "incomplete_expired") \
    X(PAST_DUE, 7, "past_due")                     \
    X(UNPAID, 8, "unpaid")                         \
    X(PAUSED, 9, "paused")                         \
    X(CANCELED, 10, "canceled")

enum subscription_status {
#define X(name, number, text) SUBSCRIPTION_##name = (number),
    SUBSCRIPTION_STATUSES(X)
#undef X
};

/* What is sold under one price of a subscription. */
struct subscription_item {
    struct id item_id;
    struct id price_id;
    struct id plan_id;
    const char *plan_key;
    int32_t plan_version;
    int64_t quantity; /* 0 for metered prices */
    const char *meter_key;
    bool addon;
};

#define SUBSCRIPTION_ITEMS_MAX 20

struct subscription {
    struct id subscription_id;
    struct id customer_id;
    const char *external_customer_id;
    enum subscription_status status;
    struct id plan_id;
    const char *plan_key;
    int32_t plan_version;
    struct id price_id;
    int64_t quantity;
    const char *currency;
    const char *failure_reason; /* name of the reason; "" = nothing went wrong */
    const char *decline_code;
    const char *stripe_subscription_id; /* "" until the payment side has confirmed it */
    struct id latest_invoice_id;
    int64_t start_us; /* times: 0 = none; may lie before its creation */
    int64_t trial_start_us;
    int64_t trial_end_us;
    int64_t period_start_us;
    int64_t period_end_us;
    int64_t anchor_us;
    bool cancel_at_period_end;
    int64_t cancel_at_us;
    int64_t canceled_us; /* when the cancellation was asked for */
    int64_t ended_us;
    const char *cancel_reason;   /* of the payment side, "cancellation_requested"; "" = none */
    const char *cancel_feedback; /* "too_expensive" */
    const char *cancel_comment;
    int64_t past_due_since_us;
    int64_t grace_end_us; /* PAST_DUE: until when access is given all the same */
    bool collection_paused;
    const char
        *collection_pause; /* what becomes of invoices meanwhile, "keep_as_draft"; "" = none */
    int64_t collection_resume_us; /* by itself */
    int64_t pause_us;             /* PAUSED: since when, and when it resumes by itself */
    int64_t resume_us;
    const char *trial_end_behavior; /* without a payment method, "cancel"; "" = not known */
    bool by_invoice;
    int64_t days_until_due;
    const char *metadata; /* a JSON object of texts */
    int64_t fetch_number;
    int64_t version;
    int64_t created_us;
    int64_t updated_us;
    int64_t synced_us;
    bool billed_here; /* by us instead of the payment side, which no use case does yet */
    const struct subscription_item *items;
    size_t item_count;
};

const char *subscription_status_name(enum subscription_status status);
bool subscription_status_parse(const char *name, enum subscription_status *ret_status);

/* From the word of the payment side. One that we do not know gives no new access: `known` stays
 * when it is a state of the payment side's, else INCOMPLETE. */
enum subscription_status
subscription_status_of_payment(const char *word, enum subscription_status known);

/* Nothing follows: the customer does not have it any more, or never had. */
bool subscription_status_ended(enum subscription_status status);

/* Whether the mirror may go from one state to the other because the payment side says so. */
enum subscription_move {
    MOVE_NONE, /* the same state */
    MOVE_STEP,
    MOVE_REFUSED, /* it would revive what has ended, or is no state of the payment side */
};
enum subscription_move
subscription_move(enum subscription_status from, enum subscription_status to);

/* What the change is told as. from is PENDING for one that was just made here. changed: something
 * beside the status that a reader can see. False: nothing to tell. */
bool subscription_event(
    enum subscription_status from,
    enum subscription_status to,
    bool changed,
    enum event_type *ret_type);

/* Since when a payment is overdue, kept from the first moment on; 0 when none is. */
int64_t
subscription_past_due_since(enum subscription_status to, int64_t past_due_since_us, int64_t now_us);

/* Nobody collects for an account that was disconnected (0: it was not): what would give access
 * counts as overdue since then. */
enum subscription_status subscription_status_disconnected(
    enum subscription_status status, int64_t disconnected_us, int64_t *past_due_since_us);

/* What a subscription in this state gives access to: DECISION_GRANTED, DECISION_GRANTED_GRACE, a
 * denial, or DECISION_NO_ACTIVE_SUBSCRIPTION when it counts as absent. A payment that is overdue is
 * borne for the grace period, counted from the moment it became overdue; *ret_until_us is the end
 * of that grace, 0 when access is not known to change. */
enum decision_reason subscription_access(
    enum subscription_status status,
    int64_t past_due_since_us,
    int64_t grace_us,
    int64_t now_us,
    int64_t *ret_until_us);
