#pragma once

/* struct payment_method as a message. */

#include <billingos/v1/customer_service.pb-c.h>
#include <stdint.h>

#include "domain/payment_method.h"

struct ctx;

Billingos__V1__PaymentMethod *
payment_method_pb(struct ctx *cx, const struct payment_method *method, int64_t now_us);
