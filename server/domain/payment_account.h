#pragma once

/* The account at the payment side that receives the merchant's money, as last read there. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of billingos.v1.PaymentAccountState. */
enum payment_account_state {
    PAYMENT_ACCOUNT_ONBOARDING_INCOMPLETE = 1,
    PAYMENT_ACCOUNT_IN_REVIEW = 2,
    PAYMENT_ACCOUNT_ACTIVE = 3,
    PAYMENT_ACCOUNT_ACTION_NEEDED = 4,
    PAYMENT_ACCOUNT_PAYOUTS_PAUSED = 5,
    PAYMENT_ACCOUNT_RESTRICTED = 6,
    PAYMENT_ACCOUNT_REJECTED = 7,
    PAYMENT_ACCOUNT_DISCONNECTED = 8,
};

#define PAYMENT_ACCOUNT_REQUIREMENTS_MAX 100

struct payment_account {
    const char *account_id; /* "acct_..." */
    bool charges_enabled;
    bool payouts_enabled;
    bool details_submitted;
    const char *country;             /* "" = not known */
    const char *default_currency;    /* upper case; "" = not known */
    const char *const *requirements; /* the overdue ones first */
    size_t requirement_count;
    size_t overdue_count;
    int64_t deadline_us; /* 0: no date is known */
    const char *disabled_reason;
    int32_t application_fee_bps;
    int64_t fetch_number;
    int64_t version;
    int64_t created_us;
    int64_t synced_us;
    int64_t disconnected_us; /* 0: connected */
};

/* The first that holds, from the top: what the payment side says about itself, in one word. */
enum payment_account_state payment_account_state(const struct payment_account *account);

/* "ACTIVE". */
const char *payment_account_state_name(enum payment_account_state state);
