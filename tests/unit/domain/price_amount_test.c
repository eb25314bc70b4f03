#include "domain/price_amount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

static const struct price_tier tiers[] = {
    {10, {100, ""}, 500},
    {20, {0, "49.5"}, 0},
    {0, {10, ""}, 30},
};

static int64_t
amount(struct ctx *cx, enum price_model model, struct unit_price unit, int64_t quantity)
{
    const struct price price = {
        .model = model,
        .meter_key = "",
        .unit = unit,
        .tiers = tiers,
        .tier_count = ARRAY_LEN(tiers),
        .package_size = 10,
    };
    int64_t minor = -1;

    assert_int_equal(price_amount(cx, &price, quantity, &minor).code, CODE_OK);
    return minor;
}

static void each_model_counts_in_its_way(void **state)
{
    static const struct {
        enum price_model model;
        struct unit_price unit;
        int64_t quantity;
        int64_t minor;
    } cases[] = {
        {PRICE_FLAT, {1900, ""}, 1, 1900},
        {PRICE_FLAT, {1900, ""}, 3, 5700},
        {PRICE_PER_UNIT, {0, "0.25"}, 2, 1}, /* halves go up */
        {PRICE_PER_UNIT, {0, "0.249999999999"}, 2, 0},
        {PRICE_PER_UNIT, {0, "0.000000000001"}, 1000000, 0},
        {PRICE_PACKAGE, {700, ""}, 10, 700},
        {PRICE_PACKAGE, {700, ""}, 11, 1400},
        {PRICE_GRADUATED, {0, ""}, 1, 600},
        {PRICE_GRADUATED, {0, ""}, 10, 1500},
        {PRICE_GRADUATED, {0, ""}, 13, 1649}, /* 1500 + 148.5 */
        {PRICE_GRADUATED, {0, ""}, 25, 2075}, /* 1500 + 495 + 50 + 30 */
        {PRICE_VOLUME, {0, ""}, 10, 1500},
        {PRICE_VOLUME, {0, ""}, 11, 545}, /* 544.5 */
        {PRICE_VOLUME, {0, ""}, 21, 240},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(
            amount(*state, cases[i].model, cases[i].unit, cases[i].quantity), cases[i].minor);
    }
}

static void usage_is_not_known_ahead(void **state)
{
    const struct price price = {
        .model = PRICE_PER_UNIT, .meter_id = {{1}}, .meter_key = "calls", .unit = {5, ""}};
    int64_t minor = -1;

    assert_int_equal(price_amount(*state, &price, 7, &minor).code, CODE_OK);
    assert_int_equal(minor, 0);
}

static void more_money_than_there_is(void **state)
{
    const struct price price = {
        .model = PRICE_PER_UNIT, .meter_key = "", .unit = {INT64_MAX / 2, ""}};
    int64_t minor = -1;

    assert_int_equal(
        status_reason(price_amount(*state, &price, 1000000, &minor)), REASON_QUANTITY_OVERFLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_model_counts_in_its_way),
        FIXTURE_TEST(usage_is_not_known_ahead),
        FIXTURE_TEST(more_money_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
