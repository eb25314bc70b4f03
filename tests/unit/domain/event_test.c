#include "domain/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void names_are_read_back_and_none_is_there_twice(void **state)
{
    (void)state;
    for (int i = 0; i < EVENT_TYPE_COUNT; i++) {
        enum event_type type = EVENT_TYPE_COUNT;

        assert_true(event_type_parse(event_type_name((enum event_type)i), &type));
        assert_int_equal(type, i);
    }
}

static void an_unknown_name_is_no_event(void **state)
{
    enum event_type type = EVENT_INVOICE_PAID;

    (void)state;
    assert_false(event_type_parse("", &type));
    assert_false(event_type_parse("CUSTOMER", &type));
    assert_false(event_type_parse("customer_created", &type));
    assert_false(event_type_parse("CUSTOMER_CREATED ", &type));
    assert_int_equal(type, EVENT_INVOICE_PAID);
}

/* A filter keeps one bit for each. */
static void all_types_fit_into_the_filter_of_a_subscriber(void **state)
{
    (void)state;
    assert_true(EVENT_TYPE_COUNT <= 64);
}

static void internal_signals_have_no_severity_and_the_others_have_one(void **state)
{
    (void)state;
    for (int i = 0; i < EVENT_TYPE_COUNT; i++) {
        const enum event_type type = (enum event_type)i;

        assert_int_equal(event_type_internal(type), event_type_severity(type) == SEVERITY_NONE);
    }
    assert_true(event_type_internal(EVENT_CATALOG_CHANGED));
    assert_true(event_type_internal(EVENT_API_KEY_CHANGED));
    assert_false(event_type_internal(EVENT_ENTITLEMENTS_CHANGED));
    assert_int_equal(event_type_severity(EVENT_PAYMENT_FAILED), SEVERITY_WARNING);
    assert_int_equal(event_type_severity(EVENT_INVOICE_PAID), SEVERITY_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_back_and_none_is_there_twice),
        cmocka_unit_test(an_unknown_name_is_no_event),
        cmocka_unit_test(all_types_fit_into_the_filter_of_a_subscriber),
        cmocka_unit_test(internal_signals_have_no_severity_and_the_others_have_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
