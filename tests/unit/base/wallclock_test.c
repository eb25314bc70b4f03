#include "base/wallclock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void times_are_written_as_rfc3339_with_microseconds(void **state)
{
    static const struct {
        int64_t time_us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {INT64_C(1795527742000123), "2026-11-24T13:42:22.000123Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {-US_PER_DAY, "1969-12-31T00:00:00.000000Z"},
        {INT64_C(951782400) * US_PER_SECOND, "2000-02-29T00:00:00.000000Z"},
        {TIME_MIN_US, "0001-01-01T00:00:00.000000Z"},
        {TIME_MAX_US, "9999-12-31T23:59:59.999999Z"},
        {TIME_MIN_US - 1, ""},
        {TIME_MAX_US + 1, ""},
        {INT64_MIN, ""},
        {INT64_MAX, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[RFC3339_SIZE];

        wallclock_format(cases[i].time_us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void the_wall_clock_is_in_this_century(void **state)
{
    (void)state;
    assert_true(wallclock_us() > INT64_C(1700000000) * US_PER_SECOND);
    assert_true(wallclock_us() < INT64_C(4102444800) * US_PER_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_as_rfc3339_with_microseconds),
        cmocka_unit_test(the_wall_clock_is_in_this_century),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
