#pragma once

/* /v1/refunds */

#include "sandbox/call.h"

extern const struct endpoint refund_api[];
