#pragma once

/* /v1/webhook_endpoints. */

#include "sandbox/call.h"

extern const struct endpoint webhook_endpoint_api[]; /* ends with a NULL method */
