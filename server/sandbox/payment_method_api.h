#pragma once

/* /v1/payment_methods, and those of a customer. */

#include "sandbox/call.h"

extern const struct endpoint payment_method_api[]; /* ends with a NULL method */
