#pragma once

/* Endpoints of subscription schedules. */

#include "sandbox/call.h"

extern const struct endpoint schedule_api[];
