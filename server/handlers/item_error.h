#pragma once

/* Why one item of a batch failed, as billingos.v1.ItemError. */

#include <billingos/v1/common.pb-c.h>

#include "base/ctx.h"
#include "base/status.h"

Billingos__V1__ItemError *item_error_pb(struct ctx *cx, struct status status);
