#include "domain/payment_method.h"

#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/wallclock.h"

static const char *const names[] = {
    [PAYMENT_METHOD_OTHER] = "OTHER",
    [PAYMENT_METHOD_CARD] = "CARD",
    [PAYMENT_METHOD_SEPA_DEBIT] = "SEPA_DEBIT",
    [PAYMENT_METHOD_BANK_DEBIT] = "BANK_DEBIT",
    [PAYMENT_METHOD_WALLET] = "WALLET",
    [PAYMENT_METHOD_BANK_TRANSFER] = "BANK_TRANSFER",
};

const char *payment_method_kind_name(enum payment_method_kind kind)
{
    return names[kind];
}

enum payment_method_kind payment_method_kind_parse(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return (enum payment_method_kind)i;
        }
    }
    return PAYMENT_METHOD_OTHER;
}

enum payment_method_kind payment_method_kind_of_payment(const char *type)
{
    static const struct {
        const char *type;
        enum payment_method_kind kind;
    } kinds[] = {
        {"card", PAYMENT_METHOD_CARD},
        {"sepa_debit", PAYMENT_METHOD_SEPA_DEBIT},
        {"us_bank_account", PAYMENT_METHOD_BANK_DEBIT},
        {"acss_debit", PAYMENT_METHOD_BANK_DEBIT},
        {"au_becs_debit", PAYMENT_METHOD_BANK_DEBIT},
        {"bacs_debit", PAYMENT_METHOD_BANK_DEBIT},
        {"nz_bank_account", PAYMENT_METHOD_BANK_DEBIT},
        {"amazon_pay", PAYMENT_METHOD_WALLET},
        {"cashapp", PAYMENT_METHOD_WALLET},
        {"link", PAYMENT_METHOD_WALLET},
        {"paypal", PAYMENT_METHOD_WALLET},
        {"revolut_pay", PAYMENT_METHOD_WALLET},
        {"customer_balance", PAYMENT_METHOD_BANK_TRANSFER},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            return kinds[i].kind;
        }
    }
    return PAYMENT_METHOD_OTHER;
}

bool payment_method_expiring(const struct payment_method *method, int64_t now_us)
{
    const time_t seconds = (time_t)(now_us / US_PER_SECOND);
    struct tm now;

    if (method->expire_year == 0 || gmtime_r(&seconds, &now) == NULL) {
        return false;
    }
    /* A card is good until the end of its month. */
    return method->expire_year * 12 + method->expire_month - 1 <=
           (now.tm_year + 1900) * 12 + now.tm_mon + 1;
}

bool payment_method_id_valid(const char *id)
{
    return id[0] != '\0' &&
           id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0';
}
