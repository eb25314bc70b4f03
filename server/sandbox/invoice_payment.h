#pragma once

/* What joins an invoice and the intent that pays it. */

#include <stdint.h>

#include "sandbox/object.h"

struct invoice;
struct payment_intent;
struct render;
struct sim;

enum invoice_payment_status {
    INVOICE_PAYMENT_OPEN,
    INVOICE_PAYMENT_PAID,
    INVOICE_PAYMENT_CANCELED
};

struct invoice_payment {
    struct object object;
    struct invoice *invoice;
    struct payment_intent *intent;
    enum invoice_payment_status status;
    int64_t amount_requested;
    int64_t amount_paid;
    int64_t paid_s;
    int64_t canceled_s;
};

struct invoice_payment *
invoice_payment_new(struct sim *sim, struct invoice *invoice, struct payment_intent *intent);

void invoice_payment_render(struct render *render, const struct object *object);

/* "open", "paid", "canceled". */
const char *invoice_payment_status_word(const struct invoice_payment *payment);
