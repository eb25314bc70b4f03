#pragma once

/* POST /v1/subscriptions/{}. */

#include <stdbool.h>

#include "sandbox/param.h"

struct call;

extern const struct param subscription_update_params[];
bool subscription_update(struct call *call);
