#include "domain/decline.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
    const char *code;
    enum decline_class decline;
} codes[] = {
    {"insufficient_funds", DECLINE_FUNDS},
    {"withdrawal_count_limit_exceeded", DECLINE_FUNDS},
    {"card_velocity_exceeded", DECLINE_FUNDS},
    {"processing_error", DECLINE_TRANSIENT},
    {"try_again_later", DECLINE_TRANSIENT},
    {"issuer_not_available", DECLINE_TRANSIENT},
    {"reenter_transaction", DECLINE_TRANSIENT},
    {"approve_with_id", DECLINE_TRANSIENT},
    {"expired_card", DECLINE_DATA},
    {"incorrect_cvc", DECLINE_DATA},
    {"invalid_cvc", DECLINE_DATA},
    {"invalid_expiry_month", DECLINE_DATA},
    {"invalid_expiry_year", DECLINE_DATA},
    {"incorrect_zip", DECLINE_DATA},
    {"incorrect_postal_code", DECLINE_DATA},
    {"invalid_account", DECLINE_DATA},
    {"new_account_information_available", DECLINE_DATA},
    {"card_not_supported", DECLINE_DATA},
    {"currency_not_supported", DECLINE_DATA},
    {"restricted_card", DECLINE_DATA},
    {"pin_try_exceeded", DECLINE_DATA},
    {"transaction_not_allowed", DECLINE_DATA},
    {"expired_payment_method", DECLINE_DATA},
    {"authentication_required", DECLINE_AUTHENTICATION},
    {"lost_card", DECLINE_HARD},
    {"stolen_card", DECLINE_HARD},
    {"pickup_card", DECLINE_HARD},
    {"fraudulent", DECLINE_HARD},
    {"merchant_blacklist", DECLINE_HARD},
    {"highest_risk_level", DECLINE_HARD},
    {"security_violation", DECLINE_HARD},
    {"stop_payment_order", DECLINE_HARD},
    {"revocation_of_authorization", DECLINE_HARD},
    {"revocation_of_all_authorizations", DECLINE_HARD},
    {"incorrect_number", DECLINE_HARD},
    {"invalid_number", DECLINE_HARD},
    {"capability_not_active", DECLINE_MERCHANT},
    {"account_invalid", DECLINE_MERCHANT},
    {"testmode_decline", DECLINE_MERCHANT},
    {"amount_too_small", DECLINE_MERCHANT},
};

static const char *const names[] = {
    [DECLINE_NONE] = "UNSPECIFIED",
    [DECLINE_FUNDS] = "FUNDS",
    [DECLINE_TRANSIENT] = "TRANSIENT",
    [DECLINE_GENERIC] = "GENERIC",
    [DECLINE_DATA] = "DATA",
    [DECLINE_AUTHENTICATION] = "AUTHENTICATION",
    [DECLINE_HARD] = "HARD",
    [DECLINE_MERCHANT] = "MERCHANT",
};

enum decline_class decline_class_of(const char *code)
{
    if (code[0] == '\0') {
        return DECLINE_NONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            return codes[i].decline;
        }
    }
    return DECLINE_GENERIC;
}

const char *decline_class_name(enum decline_class decline)
{
    return names[decline];
}

const char *decline_advice(enum decline_class decline)
{
    switch (decline) {
    case DECLINE_FUNDS:
        return "there was not enough money: try again later or use another payment method";
    case DECLINE_TRANSIENT:
        return "something went wrong on the way: try again later";
    case DECLINE_GENERIC:
        return "the bank gave no reason: ask the bank or use another payment method";
    case DECLINE_DATA:
        return "the details of the payment method are wrong or expired: correct them";
    case DECLINE_AUTHENTICATION:
        return "the payment must be confirmed: confirm it on the page of the invoice";
    case DECLINE_HARD:
        return "this payment method cannot be used any more: use another one";
    case DECLINE_MERCHANT:
        return "the payment could not be taken: nothing needs to be done";
    case DECLINE_NONE:
        break;
    }
    return "";
}
