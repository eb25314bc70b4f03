#pragma once

/* /v1/subscriptions. */

#include "sandbox/call.h"

extern const struct endpoint subscription_api[]; /* ends with a NULL method */
