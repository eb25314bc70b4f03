#pragma once

/* The command line. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/log.h"

#define OPTIONS_WEBHOOKS_MAX 8

struct options_webhook {
    const char *url;
    const char *secret;
    bool connect;
};

struct options {
    const char *listen;
    const char *port_file;  /* NULL: none */
    const char *state_file; /* NULL: nothing is persisted */
    const char *secret_key; /* NULL: any */
    struct options_webhook webhooks[OPTIONS_WEBHOOKS_MAX];
    size_t webhook_count;
    uint64_t seed; /* 0: draw one */
    int64_t clock_offset_s;
    enum log_level log_level;
};

/* What to do after reading. */
enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_SHOWN, /* the help was asked for: exit with 0 */
    OPTIONS_WRONG, /* said so on standard error: exit with 2 */
};
enum options_outcome options_read(int argc, char **argv, struct options *ret_options);
