#pragma once

/* What the merchant sells. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct price;
struct render;

#define PRODUCT_FEATURES_MAX 15

struct product {
    struct object object;
    const char *name;
    const char *description;
    const char *statement_descriptor;
    const char *tax_code;
    const char *unit_label;
    const char *url;
    bool active;
    int64_t updated_s;
    struct price *default_price;
    const char *features[PRODUCT_FEATURES_MAX]; /* marketing texts */
    size_t feature_count;
    struct metadata metadata;
};

void product_render(struct render *render, const struct object *object);
