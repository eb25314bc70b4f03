#include "histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_duration_is_told_with_less_than_one_percent_error(void **state)
{
    static struct histogram histogram;

    (void)state;
    for (int64_t value = 1; value < INT64_C(4000000000000); value += value / 37 + 1) {
        memset(&histogram, 0, sizeof histogram);
        histogram_record(&histogram, value);
        histogram_record(&histogram, INT64_C(4398000000000)); /* Does not cap the answer. */
        const int64_t told = histogram_quantile_ns(&histogram, 0.5);

        assert_true(told >= value);
        assert_true((double)(told - value) <= 0.0079 * (double)value);
    }
}

static void quantiles_are_those_of_the_sorted_list(void **state)
{
    static struct histogram histogram;

    (void)state;
    for (int64_t i = 200; i > 0; i--) { /* Below 256 each value is exact. */
        histogram_record(&histogram, i);
    }
    assert_int_equal(histogram_quantile_ns(&histogram, 0.5), 100);
    assert_int_equal(histogram_quantile_ns(&histogram, 0.99), 198);
    assert_int_equal(histogram_quantile_ns(&histogram, 0.999), 200);
    assert_int_equal(histogram_quantile_ns(&histogram, 1), 200);
    assert_int_equal(histogram_quantile_ns(&histogram, 0), 1);
}

static void the_edges_are_kept(void **state)
{
    static struct histogram histogram;

    (void)state;
    assert_int_equal(histogram_quantile_ns(&histogram, 0.5), 0);
    histogram_record(&histogram, -5);
    assert_int_equal(histogram_quantile_ns(&histogram, 1), 0);
    histogram_record(&histogram, INT64_MAX);
    assert_int_equal(histogram_quantile_ns(&histogram, 1), histogram.max_ns);
    assert_true(histogram.max_ns == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_duration_is_told_with_less_than_one_percent_error),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_list),
        cmocka_unit_test(the_edges_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
