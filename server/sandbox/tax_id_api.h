#pragma once

/* /v1/customers/{}/tax_ids and /v1/tax_ids/{}. */

#include "sandbox/call.h"

extern const struct endpoint tax_id_api[]; /* ends with a NULL method */
