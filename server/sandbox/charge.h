#pragma once

/* One attempt to take money from a card. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/object.h"
#include "sandbox/payment_method.h"

struct payment_intent;
struct render;
struct sim;

struct charge {
    struct object object;
    struct payment_intent *intent;
    struct payment_method *method;
    int64_t amount;
    int64_t refunded;
    bool succeeded;
    struct decline decline; /* when not succeeded */
    const char *transaction_id;
};

/* decline NULL: the money is taken. Tells with charge.succeeded or charge.failed. */
struct charge *charge_new(
    struct sim *sim,
    struct payment_intent *intent,
    struct payment_method *method,
    const struct decline *decline);

void charge_render(struct render *render, const struct object *object);
