#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void new_memory_is_zeroed(void **state)
{
    char *block = heap_new(1000);

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(block[i], 0);
    }
    heap_free(block);
}

static void a_grown_block_keeps_its_content(void **state)
{
    char *block = heap_text("content");

    (void)state;
    block = heap_grow(block, 100000);
    assert_string_equal(block, "content");
    heap_free(block);
}

static void a_block_of_size_zero_is_no_failure(void **state)
{
    char *block = heap_new(0);

    (void)state;
    assert_non_null(block);
    heap_free(block);
    heap_free(NULL);
}

static void allocations_fail_after_the_number_that_was_allowed(void **state)
{
    char *first = NULL;
    char *second = NULL;

    (void)state;
    heap_fail_after(2);
    first = heap_new(1);
    second = heap_text("x");
    assert_non_null(first);
    assert_non_null(second);
    assert_null(heap_new(1));
    assert_null(heap_grow(second, 10));
    assert_null(heap_text("y"));
    heap_fail_after(-1);
    assert_string_equal(second, "x");
    heap_free(first);
    heap_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed),
        cmocka_unit_test(a_grown_block_keeps_its_content),
        cmocka_unit_test(a_block_of_size_zero_is_no_failure),
        cmocka_unit_test(allocations_fail_after_the_number_that_was_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
