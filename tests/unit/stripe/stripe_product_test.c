#include "stripe/stripe_product.h"

#include "stripe_kit.h"

static void a_product_is_made_changed_and_read(void **state)
{
    const struct stripe_product_params params = {
        .name = "Pro & more",
        .description = "",
        .unit_label = "seat",
        .active = false,
        .marks = {.org_id = "org_1", .object_id = "plan_1", .operation_id = ""},
    };
    struct payment_product product;

    (void)state;
    answer_with(
        200,
        "{\"id\":\"prod_1\",\"object\":\"product\",\"name\":\"Pro\",\"active\":true,"
        "\"default_price\":{\"id\":\"price_1\"},\"created\":1700000000}");
    assert_ok(stripe_product_create(&stub.cx, stub.client, "acct_1", &params, "k", &product));
    assert_string_equal(stub.line, "POST /v1/products");
    assert_string_equal(
        stub.body,
        "name=Pro%20%26%20more&unit_label=seat&metadata[billingos_org]=org_1&"
        "metadata[billingos_id]=plan_1");
    assert_string_equal(product.id, "prod_1");
    assert_true(product.active);
    assert_string_equal(product.default_price_id, "price_1");
    assert_ok(
        stripe_product_update(&stub.cx, stub.client, "acct_1", "prod_1", &params, "k", &product));
    assert_string_equal(stub.line, "POST /v1/products/prod_1");
    assert_string_equal(
        stub.body,
        "name=Pro%20%26%20more&description=&unit_label=seat&active=false&"
        "metadata[billingos_org]=org_1&metadata[billingos_id]=plan_1");
    assert_ok(stripe_product_retrieve(&stub.cx, stub.client, "acct_1", "prod_1", &product));
    assert_string_equal(stub.line, "GET /v1/products/prod_1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(a_product_is_made_changed_and_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
