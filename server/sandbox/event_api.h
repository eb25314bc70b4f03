#pragma once

/* /v1/events. */

#include "sandbox/call.h"

extern const struct endpoint event_api[]; /* ends with a NULL method */
