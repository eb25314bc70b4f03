#pragma once

/* Money of an invoice that is paid back. Pure.
 *
 *     PENDING --> SUCCEEDED --> FAILED (it came back, days later)
 *        `------> FAILED, CANCELED
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

/* X(NAME, number in billingos.v1.RefundState, how the payment side writes it) */
#define REFUND_STATES(X)         \
    X(PENDING, 1, "pending")     \
    X(SUCCEEDED, 2, "succeeded") \
    X(FAILED, 3, "failed")       \
    X(CANCELED, 4, "canceled")

enum refund_state {
#define X(name, number, word) REFUND_##name = (number),
    REFUND_STATES(X)
#undef X
};

/* X(NAME, number in billingos.v1.CreditNoteReason, how the payment side writes it for refunds) */
#define REFUND_REASONS(X)                       \
    X(DUPLICATE, 1, "duplicate")                \
    X(FRAUDULENT, 2, "fraudulent")              \
    X(ORDER_CHANGE, 3, "requested_by_customer") \
    X(UNSATISFACTORY, 4, "requested_by_customer")

struct refund {
    struct id refund_id;
    struct id invoice_id;
    struct id customer_id;
    struct id payment_id;         /* zero: not known */
    const char *stripe_refund_id; /* "" = claimed, and to be made */
    const char *payment_intent;
    const char *charge;
    int64_t amount_minor;
    const char *currency;
    enum refund_state state;
    int64_t reason; /* its number; 0 = not said */
    const char *failure_code;
    int64_t fetch_number;
    int64_t created_us;
};

/* "" for a number that is none of them. */
const char *refund_state_name(enum refund_state state);
bool refund_state_parse(const char *name, enum refund_state *ret_state);

/* From the word of the payment side; PENDING for an unknown one, as when it waits for somebody. */
enum refund_state refund_state_of_payment(const char *word);

/* Name and number; "" is 0, an unknown one too. The word is what the payment side is told. */
const char *refund_reason_name(int64_t reason);
const char *refund_reason_word(int64_t reason);
int64_t refund_reason_parse(const char *name);
int64_t refund_reason_of_payment(const char *word);
