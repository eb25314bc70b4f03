#pragma once

/* Money of a charge that is paid back. It arrives at once. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct charge;
struct render;
struct sim;

struct refund {
    struct object object;
    struct charge *charge;
    int64_t amount;
    const char *reason; /* NULL: none */
    const char *transaction_id;
    struct metadata metadata;
};

/* The charge has that much left. The caller fills in the rest and tells about it. */
struct refund *
refund_new(struct sim *sim, struct charge *charge, int64_t amount, const char *reason);

/* refund.created and charge.refunded. */
void refund_tell(struct sim *sim, struct refund *refund);

void refund_render(struct render *render, const struct object *object);
