#pragma once

/* A saved way to pay: what people need to recognise it, and when it ends. Numbers are never known
 * here. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

/* The numbers are those of billingos.v1.PaymentMethodKind. */
enum payment_method_kind {
    PAYMENT_METHOD_OTHER = 0,
    PAYMENT_METHOD_CARD = 1,
    PAYMENT_METHOD_SEPA_DEBIT = 2,
    PAYMENT_METHOD_BANK_DEBIT = 3,
    PAYMENT_METHOD_WALLET = 4,
    PAYMENT_METHOD_BANK_TRANSFER = 5,
};

#define PAYMENT_METHOD_ID_BYTES_MAX 255
#define PAYMENT_METHODS_SHOWN_MAX 100

struct payment_method {
    const char *payment_method_id; /* of the payment side, "pm_..." */
    struct id customer_id;
    enum payment_method_kind kind;
    const char *brand;    /* "" where there is none */
    const char *last4;    /* "" where there is none */
    int32_t expire_month; /* 1 to 12; 0: it does not expire */
    int32_t expire_year;
    bool is_default;
    bool detached;
    int64_t created_us;
};

/* "CARD", as in the database. */
const char *payment_method_kind_name(enum payment_method_kind kind);
enum payment_method_kind payment_method_kind_parse(const char *name);

/* "us_bank_account", as the payment side says. */
enum payment_method_kind payment_method_kind_of_payment(const char *type);

/* Whether it ends before the end of next month, or has ended. */
bool payment_method_expiring(const struct payment_method *method, int64_t now_us);

/* The characters of an id or token of the payment side. */
bool payment_method_id_valid(const char *id);
