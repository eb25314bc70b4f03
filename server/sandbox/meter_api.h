#pragma once

/* /v1/billing/meters and /v1/billing/meter_events. */

#include "sandbox/call.h"

extern const struct endpoint meter_api[]; /* ends with a NULL method */
