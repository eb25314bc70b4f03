#pragma once

/* /v1/invoices and /v1/invoice_payments. */

#include "sandbox/call.h"

extern const struct endpoint invoice_api[]; /* ends with a NULL method */
