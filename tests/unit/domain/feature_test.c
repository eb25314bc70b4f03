#include "domain/feature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static struct feature valid(enum feature_kind kind)
{
    return (struct feature){
        .key = "x",
        .name = "X",
        .description = "",
        .kind = kind,
        .meter_key = kind == FEATURE_METERED ? "calls" : "",
        .unit = "",
        .credit_currency = "",
        .metadata = "{}",
    };
}

static void a_feature_of_each_kind_is_accepted(void **state)
{
    for (int kind = FEATURE_BOOLEAN; kind <= FEATURE_CREDITS; kind++) {
        const struct feature feature = valid((enum feature_kind)kind);
        enum feature_kind read = FEATURE_BOOLEAN;

        assert_int_equal(feature_check(*state, "feature", &feature).code, CODE_OK);
        assert_true(feature_kind_parse(feature_kind_name(feature.kind), &read));
        assert_int_equal(read, kind);
    }
}

static void what_goes_with_another_kind_is_a_mismatch(void **state)
{
    static const char *const values[] = {"a"};
    struct feature features[] = {
        valid(FEATURE_BOOLEAN),
        valid(FEATURE_CONFIG),
        valid(FEATURE_METERED),
        valid(FEATURE_METERED),
    };
    static const char *const fields[] = {
        "feature.meter_key",
        "feature.unit_name",
        "feature.permitted_values",
        "feature.credit_currency_code",
    };

    features[0].meter_key = "calls";
    features[1].unit = "call";
    features[2].permitted_values = values;
    features[2].permitted_count = 1;
    features[3].credit_currency = "EUR";
    for (size_t i = 0; i < ARRAY_LEN(features); i++) {
        const struct status status = feature_check(*state, "feature", &features[i]);

        assert_int_equal(status_reason(status), REASON_FEATURE_KIND_MISMATCH);
        assert_string_equal(status.error->violations[0].field, fields[i]);
    }
}

static void a_metered_feature_needs_a_meter(void **state)
{
    struct feature feature = valid(FEATURE_METERED);
    struct status status;

    feature.meter_key = "";
    status = feature_check(*state, "feature", &feature);
    assert_int_equal(status_reason(status), REASON_FIELD_INVALID);
    assert_string_equal(status.error->violations[0].field, "feature.meter_key");
}

static void credits_can_be_money_of_a_currency_that_exists(void **state)
{
    struct feature feature = valid(FEATURE_CREDITS);

    feature.credit_currency = "EUR";
    assert_int_equal(feature_check(*state, "feature", &feature).code, CODE_OK);
    feature.credit_currency = "EURO";
    assert_int_equal(
        status_reason(feature_check(*state, "feature", &feature)), REASON_CURRENCY_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_feature_of_each_kind_is_accepted),
        FIXTURE_TEST(what_goes_with_another_kind_is_a_mismatch),
        FIXTURE_TEST(a_metered_feature_needs_a_meter),
        FIXTURE_TEST(credits_can_be_money_of_a_currency_that_exists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
