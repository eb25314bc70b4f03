#pragma once

/* The key-value pairs that the owner of an object hangs on it. */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct call;
struct render;

/* The provider's limits. */
#define METADATA_PAIRS_MAX 50
#define METADATA_KEY_MAX 40
#define METADATA_VALUE_MAX 500

struct metadata_pair {
    const char *key;
    const char *value;
};

struct metadata {
    struct metadata_pair *pairs; /* NULL when there never was one */
    size_t count;
};

/* Whether the pairs of the parameter may be put in; changes nothing. */
bool metadata_check(struct call *call, const struct metadata *metadata, const char *param)
    MUST_CHECK;

/* Puts in what the parameter says: "k=" removes k, an empty parameter removes all. */
void metadata_update(struct call *call, struct metadata *metadata, const char *param);

void metadata_render(struct render *render, const char *name, const struct metadata *metadata);
