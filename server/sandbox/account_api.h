#pragma once

/* /v1/accounts, /v1/account_links, /v1/accounts/{}/login_links. */

#include "sandbox/call.h"

extern const struct endpoint account_api[]; /* ends with a NULL method */
