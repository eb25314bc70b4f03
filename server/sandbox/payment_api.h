#pragma once

/* /v1/payment_intents and /v1/charges. */

#include "sandbox/call.h"

extern const struct endpoint payment_api[]; /* ends with a NULL method */
