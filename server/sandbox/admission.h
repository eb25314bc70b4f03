#pragma once

/* What a request has to pass before anything begins: the key, the path, the account that is acted
 * for, the headers, the form. */

#include <stdbool.h>

#include "base/cleanup.h"

struct call;

/* Fills the endpoint, the ids and the account of the call. */
bool admission_check(struct call *call) MUST_CHECK;

/* Reads query and body, checks them against the endpoint's parameters, and reads "expand". */
bool admission_read_form(struct call *call) MUST_CHECK;
