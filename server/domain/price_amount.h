#pragma once

/* What a price asks for a whole period, as the payment side computes it. Pure. */

#include <stdint.h>

#include "base/status.h"
#include "domain/price.h"

struct ctx;

/* In minor units, halves rounded away from zero; 0 for a metered price, whose use is not known
 * ahead. Fails with QUANTITY_OVERFLOW. */
struct status price_amount(
    struct ctx *cx, const struct price *price, int64_t quantity, int64_t *ret_minor) MUST_CHECK;
