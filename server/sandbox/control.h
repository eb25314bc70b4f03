#pragma once

/* /_sim: what a person or a test does to the simulated world, never the program under test. */

#include "sandbox/call.h"

extern const struct endpoint control_api[]; /* ends with a NULL method */
