#pragma once

/* Charges at the payment side: each is one try to take money. Failures: stripe_client.h. */

#include "base/status.h"
#include "domain/payment.h"

struct ctx;
struct stripe_client;

struct status stripe_charge_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *charge_id,
    struct payment_charge *ret_charge) MUST_CHECK;
