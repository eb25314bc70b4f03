#pragma once

/* Which parameters an endpoint knows, and of what type. What is not in the table does not exist:
 * the answer is parameter_unknown, as the provider's is. The check runs before the handler, so that
 * a refused request has begun nothing and its idempotency key stays free. */

#include <stdbool.h>

#include "base/cleanup.h"

struct call;

enum param_type {
    PARAM_TEXT,
    PARAM_INT,
    PARAM_BOOL,
    PARAM_TIME, /* Unix seconds, or "now" */
    PARAM_DECIMAL,
    PARAM_ENUM,        /* one of the choices, "a|b|c" */
    PARAM_NOTHING,     /* only the empty string, to unset */
    PARAM_UNSUPPORTED, /* the provider knows it, the simulator does not: 501. Covers all below. */
};

enum param_flag {
    PARAM_REQUIRED = 1 << 0,
    PARAM_UNSET = 1 << 1, /* may be empty */
};

struct param {
    const char *pattern; /* "items[*][price]": * is any one name or index */
    enum param_type type;
    unsigned flags;
    const char *choices;
};

#define PARAM_END                 \
    {                             \
        NULL, PARAM_TEXT, 0, NULL \
    }
#define PARAMS_EXPAND                    \
    {                                    \
        "expand[*]", PARAM_TEXT, 0, NULL \
    }
#define PARAMS_METADATA                              \
    {"metadata", PARAM_NOTHING, PARAM_UNSET, NULL},  \
    {                                                \
        "metadata[*]", PARAM_TEXT, PARAM_UNSET, NULL \
    }
#define PARAMS_TIME_FILTER(name)                                                 \
    {name, PARAM_TIME, 0, NULL}, {name "[gt]", PARAM_TIME, 0, NULL},             \
        {name "[gte]", PARAM_TIME, 0, NULL}, {name "[lt]", PARAM_TIME, 0, NULL}, \
    {                                                                            \
        name "[lte]", PARAM_TIME, 0, NULL                                        \
    }
#define PARAMS_LIST                                                                        \
    PARAMS_EXPAND, {"limit", PARAM_INT, 0, NULL}, {"starting_after", PARAM_TEXT, 0, NULL}, \
    {                                                                                      \
        "ending_before", PARAM_TEXT, 0, NULL                                               \
    }
#define PARAMS_ADDRESS(name)                      \
    {name, PARAM_NOTHING, PARAM_UNSET, NULL},     \
    {                                             \
        name "[*]", PARAM_TEXT, PARAM_UNSET, NULL \
    }

bool param_check(struct call *call, const struct param *params) MUST_CHECK;
