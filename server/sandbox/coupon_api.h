#pragma once

/* /v1/coupons. */

#include "sandbox/call.h"

extern const struct endpoint coupon_api[]; /* ends with a NULL method */
