#include "domain/payment_account.h"

#include <string.h>

static const char *const names[] = {
    [PAYMENT_ACCOUNT_ONBOARDING_INCOMPLETE] = "ONBOARDING_INCOMPLETE",
    [PAYMENT_ACCOUNT_IN_REVIEW] = "IN_REVIEW",
    [PAYMENT_ACCOUNT_ACTIVE] = "ACTIVE",
    [PAYMENT_ACCOUNT_ACTION_NEEDED] = "ACTION_NEEDED",
    [PAYMENT_ACCOUNT_PAYOUTS_PAUSED] = "PAYOUTS_PAUSED",
    [PAYMENT_ACCOUNT_RESTRICTED] = "RESTRICTED",
    [PAYMENT_ACCOUNT_REJECTED] = "REJECTED",
    [PAYMENT_ACCOUNT_DISCONNECTED] = "DISCONNECTED",
};

enum payment_account_state payment_account_state(const struct payment_account *account)
{
    const char *reason = account->disabled_reason;

    if (account->disconnected_us != 0) {
        return PAYMENT_ACCOUNT_DISCONNECTED;
    }
    if (strncmp(reason, "rejected.", strlen("rejected.")) == 0) {
        return PAYMENT_ACCOUNT_REJECTED;
    }
    if (!account->details_submitted) {
        return PAYMENT_ACCOUNT_ONBOARDING_INCOMPLETE;
    }
    if (account->charges_enabled && account->payouts_enabled && account->overdue_count == 0) {
        return account->requirement_count == 0 ? PAYMENT_ACCOUNT_ACTIVE
                                               : PAYMENT_ACCOUNT_ACTION_NEEDED;
    }
    if (account->charges_enabled && !account->payouts_enabled) {
        return PAYMENT_ACCOUNT_PAYOUTS_PAUSED;
    }
    if (strcmp(reason, "requirements.pending_verification") == 0 ||
        strcmp(reason, "under_review") == 0) {
        return PAYMENT_ACCOUNT_IN_REVIEW;
    }
    return PAYMENT_ACCOUNT_RESTRICTED;
}

const char *payment_account_state_name(enum payment_account_state state)
{
    return names[state];
}
