#pragma once

/* A payment that was declined, in the words of our own API. */

#include "base/status.h"
#include "domain/payment.h"

struct ctx;

/* PAYMENT_DECLINED with the code of the bank, what can be done about it and whose payment it was.
 * subscription: "sub_...". */
struct status
payment_decline(struct ctx *cx, const struct payment_error *error, const char *subscription);
struct status payment_decline_code(struct ctx *cx, const char *code, const char *subscription);
