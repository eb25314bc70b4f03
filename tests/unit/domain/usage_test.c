#include "domain/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/wallclock.h"

#define NOW INT64_C(1790000000000000)

static const struct {
    int64_t event_us;
    enum usage_time found;
} times[] = {
    {NOW, USAGE_TIME_TAKEN},
    {NOW + 5 * US_PER_MINUTE, USAGE_TIME_TAKEN},
    {NOW + 5 * US_PER_MINUTE + 1, USAGE_TIME_IN_FUTURE},
    {NOW - 35 * US_PER_DAY, USAGE_TIME_TAKEN},
    {NOW - 35 * US_PER_DAY - 1, USAGE_TIME_TOO_OLD},
    {0, USAGE_TIME_TOO_OLD},
    {TIME_MIN_US, USAGE_TIME_TOO_OLD},
    {TIME_MAX_US, USAGE_TIME_IN_FUTURE},
};

static void test_usage_is_taken_from_35_days_back_to_5_minutes_ahead(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        assert_int_equal(usage_time_check(times[i].event_us, NOW), times[i].found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage_is_taken_from_35_days_back_to_5_minutes_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
