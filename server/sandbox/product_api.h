#pragma once

/* /v1/products. */

#include "sandbox/call.h"

extern const struct endpoint product_api[]; /* ends with a NULL method */
