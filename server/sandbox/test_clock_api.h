#pragma once

/* /v1/test_helpers/test_clocks. */

#include "sandbox/call.h"

extern const struct endpoint test_clock_api[]; /* ends with a NULL method */
