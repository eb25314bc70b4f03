#pragma once

/* The one-time addresses under which a merchant gives his details, and the page behind them. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/call.h"

struct account;
struct sim;

struct account_link {
    const char *token;
    struct account *account;
    const char *refresh_url;
    const char *return_url;
    int64_t expires_s;
    bool used; /* opened once; the page stays usable for whoever opened it */
    struct account_link *older;
};

struct account_link *account_link_new(
    struct sim *sim, struct account *account, const char *refresh_url, const char *return_url);

/* GET and POST /_sim/onboarding/{token}. */
extern const struct endpoint account_link_pages[];
