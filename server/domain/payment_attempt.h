#pragma once

/* A try to collect money. Pure.
 *
 *     ACTION_REQUIRED, PENDING --> SUCCEEDED, FAILED, CANCELED (final)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

/* X(NAME, number in billingos.v1.PaymentAttemptState) */
#define PAYMENT_ATTEMPT_STATES(X) \
    X(PENDING, 1)                 \
    X(ACTION_REQUIRED, 2)         \
    X(SUCCEEDED, 3)               \
    X(FAILED, 4)                  \
    X(CANCELED, 5)

enum payment_attempt_state {
#define X(name, number) PAYMENT_ATTEMPT_##name = (number),
    PAYMENT_ATTEMPT_STATES(X)
#undef X
};

struct payment_attempt {
    struct id payment_id;
    struct id invoice_id; /* zero: none, or not known yet */
    struct id customer_id;
    struct id subscription_id; /* of the invoice; zero: none */
    enum payment_attempt_state state;
    int64_t amount_minor;
    const char *currency;
    int64_t number; /* which try for the invoice, from one */
    const char *decline_code;
    const char *advice_code;
    const char *action_url; /* where the customer can pay while the invoice is open; "" = nowhere */
    const char *payment_intent;
    const char *charge;         /* "" = it waits for the customer */
    const char *payment_method; /* id at the payment side */
    const char *card_brand;
    const char *card_last4;
    int64_t fetch_number;
    int64_t attempted_us;
};

/* "" for a number that is none of them. */
const char *payment_attempt_state_name(enum payment_attempt_state state);
bool payment_attempt_state_parse(const char *name, enum payment_attempt_state *ret_state);

/* What an intent of the payment side that has no charge yet says; false: nothing about a try. */
bool payment_attempt_state_of_intent(const char *word, enum payment_attempt_state *ret_state);
