#pragma once

/* What the tests of rpc share: a context, and the descriptor set of rpctest.v1. */

#include <stdint.h>
#include <string.h>

#include "base/ctx.h"
#include "base/heap.h"
#include "base/str.h"

extern const unsigned char rpctest_descriptor_set[];
extern const size_t rpctest_descriptor_set_len;

struct fixture {
    struct arena arena;
    struct ctx cx;
};

static inline int fixture_new(void **state)
{
    struct fixture *fixture = heap_new(sizeof *fixture);

    if (fixture == NULL) {
        return -1;
    }
    arena_init(&fixture->arena, NULL, 0, (size_t)16 * 1024 * 1024);
    ctx_init(&fixture->cx, &fixture->arena, "test");
    *state = fixture;
    return 0;
}

static inline int fixture_free(void **state)
{
    struct fixture *fixture = *state;

    arena_release(&fixture->arena);
    heap_free(fixture);
    return 0;
}

static inline struct ctx *fixture_cx(void **state)
{
    return &((struct fixture *)*state)->cx;
}

static inline struct str fixture_set(void)
{
    return (struct str){(const char *)rpctest_descriptor_set, rpctest_descriptor_set_len};
}
