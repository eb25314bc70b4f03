#pragma once

/* Clocks that stand still until they are advanced, for the customers that live by them. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/object.h"

struct render;

struct test_clock {
    struct object object;
    const char *name;
    int64_t frozen_s;
};

void test_clock_render(struct render *render, const struct object *object);
