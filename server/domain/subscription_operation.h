#pragma once

/* What may be asked of a subscription in which state, and what it leads to: the one table that
 * every service asks. Pure.
 *
 *     rows      operations of the API first, then what the payment side reports
 *     columns   P PENDING   F FAILED      T TRIALING  A ACTIVE  I INCOMPLETE  E INCOMPLETE_EXPIRED
 *               D PAST_DUE  U UNPAID      Z PAUSED    C CANCELED
 *     cells     a letter: done, and then it is in that state     .  done, the state stays
 *               =  succeeds with nothing to do                   -  refused
 *
 * A PENDING subscription is one that the payment side has not confirmed: nothing can be asked of it
 * yet. Where the payment side has a choice the table shows the usual way: PAYMENT_EXHAUSTED may
 * also pause or cancel, as the merchant has set it, TRIAL_ENDED without a payment method does as
 * TrialEndBehavior says. The mirror takes whatever it is told (subscription_move()). */

#include "base/status.h"
#include "domain/subscription.h"

/* X(cells, NAME, reason of a refusal) */
#define SUBSCRIPTION_OPERATIONS(X)                                        \
    /*PFTAIEDUZC*/                                                        \
    X("-P---P---P", CREATE, REASON_SUBSCRIPTION_EXISTS)                   \
    X("--...-...-", UPDATE, REASON_SUBSCRIPTION_STATE_INVALID)            \
    X("--CCC=CCC=", CANCEL_NOW, REASON_SUBSCRIPTION_STATE_INVALID)        \
    X("--...=...=", CANCEL_LATER, REASON_SUBSCRIPTION_STATE_INVALID)      \
    X("--...-...-", UNDO_CANCEL, REASON_SUBSCRIPTION_STATE_INVALID)       \
    X("--..--.---", CHANGE, REASON_SUBSCRIPTION_STATE_INVALID)            \
    X("--..--..--", PAUSE_COLLECTION, REASON_SUBSCRIPTION_STATE_INVALID)  \
    X("--..=-...-", RESUME_COLLECTION, REASON_SUBSCRIPTION_STATE_INVALID) \
    X("---Z------", PAUSE, REASON_SUBSCRIPTION_STATE_INVALID)             \
    X("--------A-", RESUME, REASON_SUBSCRIPTION_STATE_INVALID)            \
    X("--.-------", EXTEND_TRIAL, REASON_TRIAL_NOT_RUNNING)               \
    X("--A-------", END_TRIAL, REASON_TRIAL_NOT_RUNNING)                  \
    X("------AA--", RENEW, REASON_SUBSCRIPTION_STATE_INVALID)             \
    X("A-..A-AAA.", PAYMENT_SUCCEEDED, REASON_NONE)                       \
    X("F-.D.-....", PAYMENT_FAILED, REASON_NONE)                          \
    X("F-..E-U.-.", PAYMENT_EXHAUSTED, REASON_NONE)                       \
    X("--A-------", TRIAL_ENDED, REASON_NONE)

enum subscription_operation {
#define X(cells, name, reason) SUBSCRIPTION_OPERATION_##name,
    SUBSCRIPTION_OPERATIONS(X)
#undef X
    SUBSCRIPTION_OPERATION_COUNT,
};

struct subscription_verdict {
    bool allowed;
    bool nothing;                  /* allowed, and it is so already */
    enum reason reason;            /* refused: why */
    enum subscription_status next; /* allowed: the state that follows */
};

struct subscription_verdict
subscription_verdict(enum subscription_operation operation, enum subscription_status status);

/* "CANCEL_NOW". */
const char *subscription_operation_name(enum subscription_operation operation);
