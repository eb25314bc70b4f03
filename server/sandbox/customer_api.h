#pragma once

/* /v1/customers. */

#include "sandbox/call.h"

extern const struct endpoint customer_api[]; /* ends with a NULL method */
