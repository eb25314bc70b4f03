#include "domain/customer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static struct customer empty(void)
{
    return (struct customer){
        .external_id = "",
        .name = "",
        .email = "",
        .phone = "",
        .address = "",
        .locale = "",
        .currency = "",
        .time_zone = "",
        .tax = TAX_EXEMPTION_NONE,
        .metadata = "{}",
    };
}

static void a_customer_may_be_empty(void **state)
{
    const struct customer customer = empty();

    assert_int_equal(customer_check(*state, "customer", &customer).code, CODE_OK);
}

static void locales_look_like_language_tags(void **state)
{
    static const char *const good[] = {"de", "de-AT", "zh-Hant-TW", "en-US-posix"};
    static const char *const bad[] = {"d", "de_AT", "de-", "-de", "de--AT", "languages-x"};

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct customer customer = empty();

        customer.locale = good[i];
        assert_int_equal(customer_check(*state, "customer", &customer).code, CODE_OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct customer customer = empty();

        customer.locale = bad[i];
        assert_int_equal(customer_check(*state, "customer", &customer).code, CODE_INVALID_ARGUMENT);
    }
}

static void an_external_id_is_measured_in_bytes(void **state)
{
    struct customer customer = empty();
    char text[CUSTOMER_EXTERNAL_ID_BYTES_MAX + 2];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    customer.external_id = text;
    assert_int_equal(customer_check(*state, "customer", &customer).code, CODE_INVALID_ARGUMENT);
    text[sizeof text - 2] = '\0';
    assert_int_equal(customer_check(*state, "customer", &customer).code, CODE_OK);
}

static void all_wrong_fields_are_named(void **state)
{
    struct customer customer = empty();
    struct status status;

    customer.email = "nobody";
    customer.locale = "?";
    status = customer_check(*state, "customer", &customer);
    assert_int_equal(status.error->violation_count, 2);
    assert_string_equal(status.error->violations[0].field, "customer.email");
    customer.currency = "EURO";
    assert_int_equal(
        status_reason(customer_check(*state, "customer", &customer)), REASON_CURRENCY_UNKNOWN);
}

static void an_archived_customer_is_not_active(void **state)
{
    struct customer customer = empty();

    assert_int_equal(customer_check_active(*state, &customer).code, CODE_OK);
    customer.archived_us = 1;
    assert_int_equal(
        status_reason(customer_check_active(*state, &customer)), REASON_CUSTOMER_ARCHIVED);
}

static void tax_names_are_read_as_they_are_written(void **state)
{
    (void)state;
    for (int tax = TAX_EXEMPTION_NONE; tax <= TAX_EXEMPTION_REVERSE; tax++) {
        enum tax_exemption read = TAX_EXEMPTION_NONE;

        assert_true(tax_exemption_parse(tax_exemption_name((enum tax_exemption)tax), &read));
        assert_int_equal(read, tax);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_customer_may_be_empty),
        FIXTURE_TEST(locales_look_like_language_tags),
        FIXTURE_TEST(an_external_id_is_measured_in_bytes),
        FIXTURE_TEST(all_wrong_fields_are_named),
        FIXTURE_TEST(an_archived_customer_is_not_active),
        cmocka_unit_test(tax_names_are_read_as_they_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
