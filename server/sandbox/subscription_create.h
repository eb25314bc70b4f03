#pragma once

/* POST /v1/subscriptions. */

#include <stdbool.h>

#include "sandbox/param.h"

struct call;

extern const struct param subscription_create_params[];
bool subscription_create(struct call *call);
