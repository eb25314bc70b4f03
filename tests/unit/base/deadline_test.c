#include "base/deadline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void no_deadline_leaves_the_maximum(void **state)
{
    (void)state;
    assert_int_equal(deadline_in_ms(INT64_MAX), INT64_MAX);
    assert_int_equal(deadline_in_ms(INT64_MAX / 1000), INT64_MAX);
    assert_int_equal(deadline_left_ms(INT64_MAX, 700), 700);
}

static void what_is_left_is_rounded_up_and_capped(void **state)
{
    (void)state;
    assert_int_equal(deadline_left_ms(monotonic_us() - 1, 100), 0);
    assert_int_equal(deadline_left_ms(deadline_in_ms(1000000), 100), 100);
    assert_true(deadline_left_ms(deadline_in_ms(1000), 5000) > 900);
    assert_true(deadline_left_ms(deadline_in_ms(1000), 5000) <= 1000);
    assert_int_equal(deadline_left_ms(monotonic_us() + 500000, 5000) >= 1, 1);
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    int64_t last_us = monotonic_us();

    (void)state;
    for (int i = 0; i < 10000; i++) {
        const int64_t now_us = monotonic_us();

        assert_true(now_us >= last_us);
        last_us = now_us;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_deadline_leaves_the_maximum),
        cmocka_unit_test(what_is_left_is_rounded_up_and_capped),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
