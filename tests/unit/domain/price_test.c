#include "domain/price.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static struct price valid(enum price_model model)
{
    static const struct price_tier tiers[] = {{10, {100, ""}, 0}, {0, {0, "0.5"}, 20}};
    struct price price = {
        .key = "",
        .name = "",
        .model = model,
        .currency = "EUR",
        .amount_currency = "",
        .interval = INTERVAL_MONTH,
        .interval_count = 1,
        .meter_key = "",
        .has_unit = true,
        .unit = {1900, ""},
        .quantity_min = 1,
        .metadata = "{}",
        .stripe_price_id = "",
    };

    if (price_tiered(&price)) {
        price.has_unit = false;
        price.unit.minor = 0;
        price.tiers = tiers;
        price.tier_count = ARRAY_LEN(tiers);
    }
    price.package_size = model == PRICE_PACKAGE ? 10 : 0;
    return price;
}

static void assert_violation(struct ctx *cx, const struct price *price, const char *field)
{
    const struct status status = price_check(cx, "price", price);

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.error->violations[0].field, field);
}

static void a_price_of_each_model_is_accepted(void **state)
{
    for (int model = PRICE_FLAT; model <= PRICE_PACKAGE; model++) {
        const struct price price = valid((enum price_model)model);
        enum price_model read = PRICE_FLAT;

        assert_int_equal(price_check(*state, "price", &price).code, CODE_OK);
        assert_true(price_model_parse(price_model_name(price.model), &read));
        assert_int_equal(read, model);
    }
}

static void an_amount_stands_where_the_model_wants_it(void **state)
{
    struct price flat = valid(PRICE_FLAT);
    struct price tiered = valid(PRICE_VOLUME);

    flat.has_unit = false;
    assert_violation(*state, &flat, "price.unit_price");
    tiered.has_unit = true;
    assert_violation(*state, &tiered, "price.unit_price");
    flat = valid(PRICE_FLAT);
    flat.tiers = tiered.tiers;
    flat.tier_count = tiered.tier_count;
    assert_violation(*state, &flat, "price.tiers");
    flat = valid(PRICE_FLAT);
    flat.unit = (struct unit_price){0, "0.5"};
    assert_violation(*state, &flat, "price.unit_price_decimal");
    flat = valid(PRICE_FLAT);
    flat.unit.minor = -1;
    assert_violation(*state, &flat, "price.unit_price.minor_units");
    flat = valid(PRICE_FLAT);
    flat.meter_key = "calls";
    assert_violation(*state, &flat, "price.meter_key");
}

static void tiers_grow_and_the_last_one_has_no_end(void **state)
{
    static const struct price_tier falling[] = {
        {10, {1, ""}, 0}, {10, {1, ""}, 0}, {0, {1, ""}, 0}};
    static const struct price_tier ended[] = {{10, {1, ""}, 0}};
    static const struct price_tier open[] = {{0, {1, ""}, 0}, {0, {1, ""}, 0}};
    const struct {
        const struct price_tier *tiers;
        size_t count;
        const char *field;
    } cases[] = {
        {falling, 3, "price.tiers[1].up_to"},
        {ended, 1, "price.tiers[0].up_to"},
        {open, 2, "price.tiers[0].up_to"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct price price = valid(PRICE_GRADUATED);

        price.tiers = cases[i].tiers;
        price.tier_count = cases[i].count;
        assert_int_equal(
            status_reason(price_check(*state, "price", &price)), REASON_PRICE_TIERS_INVALID);
        assert_violation(*state, &price, cases[i].field);
    }
}

static void a_period_is_at_most_three_years_long(void **state)
{
    static const struct {
        enum billing_interval interval;
        int32_t longest;
    } cases[] = {
        {INTERVAL_DAY, 1095}, {INTERVAL_WEEK, 156}, {INTERVAL_MONTH, 36}, {INTERVAL_YEAR, 3}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct price price = valid(PRICE_FLAT);

        price.interval = cases[i].interval;
        price.interval_count = cases[i].longest;
        assert_int_equal(price_check(*state, "price", &price).code, CODE_OK);
        price.interval_count++;
        assert_violation(*state, &price, "price.interval_count");
        price.interval_count = 0;
        assert_violation(*state, &price, "price.interval_count");
    }
}

static void amounts_are_in_the_currency_of_the_price(void **state)
{
    struct price price = valid(PRICE_FLAT);

    price.amount_currency = "EUR";
    assert_int_equal(price_check(*state, "price", &price).code, CODE_OK);
    price.amount_currency = "USD";
    assert_int_equal(status_reason(price_check(*state, "price", &price)), REASON_CURRENCY_MISMATCH);
    price.currency = "XXQ";
    assert_int_equal(status_reason(price_check(*state, "price", &price)), REASON_CURRENCY_UNKNOWN);
}

static void quantities_have_an_order_and_no_meter(void **state)
{
    struct price price = valid(PRICE_PER_UNIT);

    price.quantity_min = 5;
    price.quantity_max = 4;
    assert_violation(*state, &price, "price.quantity_max");
    price.quantity_max = 5;
    assert_int_equal(price_check(*state, "price", &price).code, CODE_OK);
    price.meter_key = "calls";
    assert_violation(*state, &price, "price.quantity_max");
}

static void decimals_have_at_most_twelve_places(void **state)
{
    static const char *const good[] = {"0", "5", "0.05", "1.123456789012", "999999999999999"};
    static const char *const bad[] = {
        "",
        ".5",
        "5.",
        "-1",
        "+1",
        "1e3",
        "1,5",
        " 1",
        "1 ",
        "1.1234567890123",
        "1000000000000000"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(price_decimal_valid(good[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(price_decimal_valid(bad[i]));
    }
}

static void only_nothing_is_free(void **state)
{
    static const struct price_tier nothing[] = {{10, {0, ""}, 0}, {0, {0, "0.000"}, 0}};
    struct price flat = valid(PRICE_FLAT);
    struct price tiered = valid(PRICE_GRADUATED);

    (void)state;
    assert_false(price_is_free(&flat));
    assert_false(price_is_free(&tiered));
    flat.unit.minor = 0;
    assert_true(price_is_free(&flat));
    tiered.tiers = nothing;
    assert_true(price_is_free(&tiered));
    flat.unit.decimal = "0.01";
    assert_false(price_is_free(&flat));
    flat.unit.decimal = "";
    flat.meter_key = "calls";
    assert_false(price_is_free(&flat));
}

static void a_period_is_counted_from_any_moment(void **state)
{
    const int64_t at_us = INT64_C(1706659200000000); /* 31 January 2024 */
    const int64_t day_us = INT64_C(86400000000);

    (void)state;
    assert_int_equal(billing_interval_after(INTERVAL_DAY, 3, at_us), at_us + 3 * day_us);
    assert_int_equal(billing_interval_after(INTERVAL_WEEK, 2, at_us), at_us + 14 * day_us);
    assert_int_equal(billing_interval_after(INTERVAL_MONTH, 1, at_us), at_us + 29 * day_us);
    assert_int_equal(billing_interval_after(INTERVAL_YEAR, 1, at_us), at_us + 366 * day_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_price_of_each_model_is_accepted),
        FIXTURE_TEST(an_amount_stands_where_the_model_wants_it),
        FIXTURE_TEST(tiers_grow_and_the_last_one_has_no_end),
        FIXTURE_TEST(a_period_is_at_most_three_years_long),
        FIXTURE_TEST(amounts_are_in_the_currency_of_the_price),
        FIXTURE_TEST(quantities_have_an_order_and_no_meter),
        cmocka_unit_test(decimals_have_at_most_twelve_places),
        cmocka_unit_test(only_nothing_is_free),
        cmocka_unit_test(a_period_is_counted_from_any_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
