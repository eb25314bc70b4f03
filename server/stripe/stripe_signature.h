#pragma once

/* Whether a webhook body was signed by the payment side: the header Stripe-Signature,
 * "t=1700000000,v1=<64 hex digits>[,v1=...][,v0=...]", over "<t>.<raw body>". Verify before the
 * body is parsed, over the bytes as they came. Thread-safe. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define STRIPE_SIGNATURE_TOLERANCE_SECONDS 300

enum stripe_signature {
    STRIPE_SIGNATURE_VALID,
    STRIPE_SIGNATURE_MALFORMED, /* no header, or no time in it */
    STRIPE_SIGNATURE_MISSING,   /* no v1; v0 is a decoy and does not count */
    STRIPE_SIGNATURE_WRONG,     /* no v1 fits any secret */
    STRIPE_SIGNATURE_TOO_OLD,
    STRIPE_SIGNATURE_TOO_NEW,
    STRIPE_SIGNATURE_NO_SECRET, /* none that is not blank */
};

struct stripe_signature_rule {
    const char *const *secrets; /* whole, with "whsec_"; NULL-terminated. Blank ones fit nothing:
                                 * anybody can sign with an empty key. */
    int64_t past_seconds_max;   /* accepted age */
    int64_t future_seconds_max; /* accepted lead of the sender's clock; -1: any */
};

/* header may be NULL. now_us is the wall clock. Takes the same time for every wrong signature. */
enum stripe_signature stripe_signature_verify(
    const struct stripe_signature_rule *rule,
    const char *header,
    const void *body,
    size_t body_len,
    int64_t now_us) MUST_CHECK;

/* "the signature fits no secret": for the log. */
const char *stripe_signature_text(enum stripe_signature signature);
