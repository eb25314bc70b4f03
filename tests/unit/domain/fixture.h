#pragma once

/* A context with an arena for one test: cmocka's setup and teardown. The state is a struct ctx. */

#include "base/ctx.h"
#include "base/heap.h"

#define FIXTURE_CAP_BYTES ((size_t)64 * 1024)

struct fixture {
    struct ctx cx; /* first: the state is read as one */
    struct arena arena;
};

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = heap_new(sizeof *fixture);

    arena_init(&fixture->arena, NULL, 0, FIXTURE_CAP_BYTES);
    ctx_init(&fixture->cx, &fixture->arena, "test");
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    heap_fail_after(-1);
    arena_release(&fixture->arena);
    heap_free(fixture);
    return 0;
}

#define FIXTURE_TEST(function) \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
