#include "domain/subscription_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void upgrades_happen_now_and_downgrades_later(void **state)
{
    static const struct {
        struct recurring before;
        struct recurring after;
        enum change_timing timing;
    } cases[] = {
        {{INTERVAL_MONTH, 1, 1900}, {INTERVAL_MONTH, 1, 4900}, CHANGE_TIMING_NOW},
        {{INTERVAL_MONTH, 1, 1900}, {INTERVAL_MONTH, 1, 1900}, CHANGE_TIMING_NOW},
        {{INTERVAL_MONTH, 1, 1900}, {INTERVAL_MONTH, 1, 1899}, CHANGE_TIMING_AT_PERIOD_END},
        {{INTERVAL_MONTH, 1, 1900}, {INTERVAL_YEAR, 1, 900}, CHANGE_TIMING_NOW},
        {{INTERVAL_MONTH, 3, 1900}, {INTERVAL_MONTH, 1, 9000}, CHANGE_TIMING_AT_PERIOD_END},
        {{INTERVAL_YEAR, 1, 19000}, {INTERVAL_MONTH, 12, 19000}, CHANGE_TIMING_NOW},
        {{INTERVAL_WEEK, 2, 100}, {INTERVAL_DAY, 14, 99}, CHANGE_TIMING_AT_PERIOD_END},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(
            change_timing_by_direction(cases[i].before, cases[i].after), cases[i].timing);
    }
}

static void only_what_runs_is_changed(void **state)
{
    (void)state;
#define X(name, number, text)                               \
    assert_int_equal(                                       \
        change_allowed(SUBSCRIPTION_##name),                \
        SUBSCRIPTION_##name == SUBSCRIPTION_ACTIVE ||       \
            SUBSCRIPTION_##name == SUBSCRIPTION_TRIALING || \
            SUBSCRIPTION_##name == SUBSCRIPTION_PAST_DUE);
    SUBSCRIPTION_STATUSES(X)
#undef X
}

static void the_words_of_the_payment_side(void **state)
{
    (void)state;
    assert_string_equal(change_proration_word(PRORATION_INVOICE_NOW), "always_invoice");
    assert_string_equal(change_proration_word(PRORATION_NEXT_INVOICE), "create_prorations");
    assert_string_equal(change_proration_word(PRORATION_NONE), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upgrades_happen_now_and_downgrades_later),
        cmocka_unit_test(only_what_runs_is_changed),
        cmocka_unit_test(the_words_of_the_payment_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
