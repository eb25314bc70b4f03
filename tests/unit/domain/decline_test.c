#include "domain/decline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void codes_have_their_class(void **state)
{
    (void)state;
    assert_int_equal(decline_class_of("insufficient_funds"), DECLINE_FUNDS);
    assert_int_equal(decline_class_of("processing_error"), DECLINE_TRANSIENT);
    assert_int_equal(decline_class_of("expired_card"), DECLINE_DATA);
    assert_int_equal(decline_class_of("authentication_required"), DECLINE_AUTHENTICATION);
    assert_int_equal(decline_class_of("stolen_card"), DECLINE_HARD);
    assert_int_equal(decline_class_of("testmode_decline"), DECLINE_MERCHANT);
}

static void an_unknown_code_may_be_tried_again(void **state)
{
    (void)state;
    assert_int_equal(decline_class_of("generic_decline"), DECLINE_GENERIC);
    assert_int_equal(decline_class_of("something_of_next_year"), DECLINE_GENERIC);
    assert_int_equal(decline_class_of(""), DECLINE_NONE);
}

static void classes_have_names(void **state)
{
    (void)state;
    assert_string_equal(decline_class_name(DECLINE_NONE), "UNSPECIFIED");
    assert_string_equal(decline_class_name(DECLINE_HARD), "HARD");
    assert_string_equal(decline_class_name(DECLINE_MERCHANT), "MERCHANT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_their_class),
        cmocka_unit_test(an_unknown_code_may_be_tried_again),
        cmocka_unit_test(classes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
