#pragma once

/* Tax numbers of customers. */

#include "sandbox/object.h"

struct customer;
struct render;

struct tax_id {
    struct object object;
    struct customer *customer;
    const char *type; /* "eu_vat" */
    const char *value;
    const char *verification; /* "pending", "verified", "unverified", "unavailable" */
};

void tax_id_render(struct render *render, const struct object *object);
