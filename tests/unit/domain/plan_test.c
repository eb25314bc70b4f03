#include "domain/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static const struct id CALLS = {{1}};
static const struct id OTHER = {{2}};

static struct feature feature_of(enum feature_kind kind)
{
    return (struct feature){.key = "x", .kind = kind, .meter_key = ""};
}

static struct plan_feature counted(void)
{
    return (struct plan_feature){
        .feature_key = "x",
        .has_limit = true,
        .limit = 100,
        .has_reset = true,
        .reset = RESET_MONTH,
        .overage_policy = OVERAGE_DENY,
        .config = "",
        .config_text = "",
    };
}

static struct plan_feature uncounted(void)
{
    return (struct plan_feature){
        .feature_key = "x", .overage_policy = OVERAGE_DENY, .config = "", .config_text = ""};
}

static struct price price_of(int64_t minor, const struct id *meter)
{
    return (struct price){
        .unit = {minor, ""},
        .meter_id = *meter,
        .meter_key = id_is_zero(meter) ? "" : "calls",
    };
}

static void terms_that_fit_are_accepted(void **state)
{
    const struct feature boolean = feature_of(FEATURE_BOOLEAN);
    const struct feature metered = feature_of(FEATURE_METERED);
    const struct feature config = feature_of(FEATURE_CONFIG);
    const struct plan_feature there = uncounted();
    const struct plan_feature limit = counted();
    struct plan_feature value = uncounted();

    value.config = "{\"number\":5}";
    assert_int_equal(plan_feature_check(*state, "f", &there, &boolean).code, CODE_OK);
    assert_int_equal(plan_feature_check(*state, "f", &limit, &metered).code, CODE_OK);
    assert_int_equal(plan_feature_check(*state, "f", &value, &config).code, CODE_OK);
}

static void limits_and_values_go_with_their_kinds(void **state)
{
    const struct feature boolean = feature_of(FEATURE_BOOLEAN);
    const struct feature metered = feature_of(FEATURE_METERED);
    const struct feature config = feature_of(FEATURE_CONFIG);
    const struct plan_feature limit = counted();
    const struct plan_feature there = uncounted();
    struct plan_feature value = counted();

    value.config = "{\"number\":5}";
    assert_int_equal(
        status_reason(plan_feature_check(*state, "f", &limit, &boolean)),
        REASON_FEATURE_KIND_MISMATCH);
    assert_int_equal(
        status_reason(plan_feature_check(*state, "f", &value, &metered)),
        REASON_FEATURE_KIND_MISMATCH);
    assert_int_equal(
        status_reason(plan_feature_check(*state, "f", &there, &metered)), REASON_FIELD_INVALID);
    assert_int_equal(
        status_reason(plan_feature_check(*state, "f", &there, &config)), REASON_FIELD_INVALID);
}

static void an_archived_feature_is_not_given(void **state)
{
    struct feature boolean = feature_of(FEATURE_BOOLEAN);
    const struct plan_feature there = uncounted();

    boolean.archived_us = 1;
    assert_int_equal(
        status_reason(plan_feature_check(*state, "f", &there, &boolean)), REASON_FEATURE_ARCHIVED);
}

static void a_value_is_one_of_those_that_are_permitted(void **state)
{
    static const char *const permitted[] = {"silver", "gold"};
    struct feature config = feature_of(FEATURE_CONFIG);
    struct plan_feature value = uncounted();

    config.permitted_values = permitted;
    config.permitted_count = ARRAY_LEN(permitted);
    value.config = "{\"text\":\"gold\"}";
    value.config_text = "gold";
    assert_int_equal(plan_feature_check(*state, "f", &value, &config).code, CODE_OK);
    value.config_text = "platinum";
    assert_int_equal(plan_feature_check(*state, "f", &value, &config).code, CODE_INVALID_ARGUMENT);
}

static void a_draft_without_a_price_is_not_whole(void **state)
{
    static const struct id none = {{0}};
    const struct price prices[] = {price_of(0, &none)};
    struct plan_version version = {.number = 1};
    const struct status status = plan_version_check_complete(*state, &version, NULL);

    assert_int_equal(status_reason(status), REASON_PLAN_HAS_NO_PRICE);
    assert_string_equal(status.error->pairs[1].value, "1");
    version.prices = prices;
    version.price_count = 1;
    assert_int_equal(plan_version_check_complete(*state, &version, NULL).code, CODE_OK);
}

static void overage_is_billed_by_a_price_with_the_same_meter(void **state)
{
    struct plan_feature feature = counted();
    const struct price same[] = {price_of(1, &CALLS)};
    const struct price other[] = {price_of(1, &OTHER)};
    struct plan_version version = {
        .number = 1, .features = &feature, .feature_count = 1, .prices = other, .price_count = 1};

    feature.overage_policy = OVERAGE_BILL;
    assert_int_equal(
        status_reason(plan_version_check_complete(*state, &version, &CALLS)), REASON_FIELD_INVALID);
    version.prices = same;
    assert_int_equal(plan_version_check_complete(*state, &version, &CALLS).code, CODE_OK);
}

static void a_version_charges_when_one_live_price_does(void **state)
{
    static const struct id none = {{0}};
    struct price prices[] = {price_of(0, &none), price_of(5, &none)};
    const struct plan_version version = {.prices = prices, .price_count = 2};

    (void)state;
    assert_true(plan_version_charges(&version));
    prices[1].archived_us = 1;
    assert_false(plan_version_charges(&version));
}

static void a_base_plan_names_no_other_plans(void **state)
{
    static const char *const keys[] = {"pro"};
    struct plan plan = {
        .key = "x",
        .name = "X",
        .description = "",
        .compatible_keys = keys,
        .compatible_count = 1,
    };

    assert_int_equal(plan_check(*state, "plan", &plan).code, CODE_INVALID_ARGUMENT);
    plan.addon = true;
    assert_int_equal(plan_check(*state, "plan", &plan).code, CODE_OK);
    plan.application_fee_bps = 10001;
    assert_int_equal(plan_check(*state, "plan", &plan).code, CODE_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(terms_that_fit_are_accepted),
        FIXTURE_TEST(limits_and_values_go_with_their_kinds),
        FIXTURE_TEST(an_archived_feature_is_not_given),
        FIXTURE_TEST(a_value_is_one_of_those_that_are_permitted),
        FIXTURE_TEST(a_draft_without_a_price_is_not_whole),
        FIXTURE_TEST(overage_is_billed_by_a_price_with_the_same_meter),
        cmocka_unit_test(a_version_charges_when_one_live_price_does),
        FIXTURE_TEST(a_base_plan_names_no_other_plans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
