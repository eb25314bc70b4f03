#pragma once

/* /v1/prices. */

#include "sandbox/call.h"

extern const struct endpoint price_api[]; /* ends with a NULL method */
