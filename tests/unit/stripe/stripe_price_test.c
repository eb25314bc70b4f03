#include "stripe/stripe_price.h"

#include "stripe_kit.h"

#define PRICE                                                                                 \
    "{\"id\":\"price_1\",\"object\":\"price\",\"product\":\"prod_1\",\"active\":true,"        \
    "\"currency\":\"eur\","                                                                   \
    "\"unit_amount\":1999,\"unit_amount_decimal\":\"1999\",\"billing_scheme\":\"per_unit\","  \
    "\"recurring\":{\"interval\":\"month\",\"interval_count\":1,\"usage_type\":\"licensed\"," \
    "\"meter\":null},"                                                                        \
    "\"transform_quantity\":{\"divide_by\":10,\"round\":\"up\"},\"tax_behavior\":\"exclusive\"}"

#define START "currency=eur&product=prod_1&recurring[interval]=month&recurring[interval_count]=1"
#define END "&metadata[billingos_id]=price_x"

static const struct price_tier tiers[] = {
    {.up_to = 10, .unit = {.minor = 500, .decimal = ""}, .flat_minor = 0},
    {.up_to = 0, .unit = {.minor = 0, .decimal = "0.25"}, .flat_minor = 100},
};

static const struct {
    enum price_model model;
    struct unit_price unit;
    const char *meter_id;
    const char *body;
} cases[] = {
    {PRICE_FLAT, {1999, ""}, "", START "&unit_amount=1999" END},
    {PRICE_PER_UNIT, {0, "0.5"}, "", START "&unit_amount_decimal=0.5" END},
    {PRICE_PER_UNIT,
     {2, ""},
     "mtr_1",
     START "&recurring[usage_type]=metered&recurring[meter]=mtr_1&unit_amount=2" END},
    {PRICE_PACKAGE,
     {300, ""},
     "",
     START "&transform_quantity[divide_by]=100&transform_quantity[round]=up&unit_amount=300" END},
    {PRICE_GRADUATED,
     {0, ""},
     "",
     START
     "&billing_scheme=tiered&tiers_mode=graduated&tiers[0][up_to]=10&tiers[0][unit_amount]=500&"
     "tiers[1][up_to]=inf&tiers[1][unit_amount_decimal]=0.25&tiers[1][flat_amount]=100" END},
    {PRICE_VOLUME,
     {0, ""},
     "",
     START "&billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=10&tiers[0][unit_amount]=500&"
           "tiers[1][up_to]=inf&tiers[1][unit_amount_decimal]=0.25&tiers[1][flat_amount]=100" END},
};

static void each_model_is_said_in_the_words_of_the_payment_side(void **state)
{
    (void)state;
    answer_with(200, PRICE);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct price price = {
            .name = "",
            .model = cases[i].model,
            .currency = "EUR",
            .interval = INTERVAL_MONTH,
            .interval_count = 1,
            .unit = cases[i].unit,
            .tiers = tiers,
            .tier_count = ARRAY_LEN(tiers),
            .package_size = 100,
        };
        struct payment_price made;

        assert_ok(stripe_price_create(
            &stub.cx,
            stub.client,
            "acct_1",
            &(struct stripe_price_params){
                .price = &price,
                .product_id = "prod_1",
                .meter_id = cases[i].meter_id,
                .marks = {.org_id = "", .object_id = "price_x", .operation_id = ""},
            },
            "k",
            &made));
        assert_string_equal(stub.body, cases[i].body);
        assert_int_equal(made.unit_minor, 1999);
        assert_string_equal(made.currency, "EUR");
        assert_string_equal(made.interval, "month");
        assert_int_equal(made.package_size, 10);
        assert_string_equal(made.meter_id, "");
    }
}

static void a_price_can_only_be_taken_off_sale(void **state)
{
    struct payment_price price;

    (void)state;
    answer_with(200, PRICE);
    assert_ok(
        stripe_price_activate(&stub.cx, stub.client, "acct_1", "price_1", false, "k", &price));
    assert_string_equal(stub.line, "POST /v1/prices/price_1");
    assert_string_equal(stub.body, "active=false");
    assert_ok(stripe_price_retrieve(&stub.cx, stub.client, "acct_1", "price_1", &price));
    assert_string_equal(stub.line, "GET /v1/prices/price_1");
    assert_true(price.active);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(each_model_is_said_in_the_words_of_the_payment_side),
        WITH_STUB(a_price_can_only_be_taken_off_sale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
