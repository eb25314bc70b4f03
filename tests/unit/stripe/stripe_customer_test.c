#include "stripe/stripe_customer.h"

#include "stripe_kit.h"

#define CUSTOMER                                                                                  \
    "{\"id\":\"cus_1\",\"object\":\"customer\",\"email\":\"a@b.example\",\"name\":\"A\","         \
    "\"phone\":null,"                                                                             \
    "\"currency\":\"isk\",\"balance\":-50000,\"delinquent\":true,\"livemode\":false,\"created\":" \
    "1700000000,"                                                                                 \
    "\"invoice_settings\":{\"default_payment_method\":\"pm_1\"},\"metadata\":{\"billingos_id\":"  \
    "\"cus_x\"}}"

static const struct stripe_customer_params params = {
    .email = "a@b.example",
    .name = "",
    .phone = "",
    .description = "",
    .payment_method = "pm_1",
    .test_clock = "clock_1",
    .marks = {.org_id = "org_1", .object_id = "cus_x", .operation_id = "op_1"},
};

static void a_customer_is_made_on_the_account(void **state)
{
    struct payment_customer customer;

    (void)state;
    answer_with(200, CUSTOMER);
    assert_ok(stripe_customer_create(&stub.cx, stub.client, "acct_1", &params, "k1", &customer));
    assert_string_equal(stub.line, "POST /v1/customers");
    assert_string_equal(stub.account, "acct_1");
    assert_string_equal(
        stub.body,
        "email=a%40b.example&payment_method=pm_1&invoice_settings[default_payment_method]=pm_1&"
        "test_clock=clock_1&metadata[billingos_org]=org_1&metadata[billingos_id]=cus_x&"
        "metadata[billingos_op_id]=op_1");
    assert_string_equal(customer.id, "cus_1");
    assert_string_equal(customer.phone, "");
    assert_string_equal(customer.currency, "ISK");
    assert_int_equal(customer.balance_minor, -500);
    assert_string_equal(customer.default_payment_method, "pm_1");
    assert_true(customer.delinquent && !customer.deleted);
    assert_string_equal(customer.marks.object_id, "cus_x");
    assert_string_equal(customer.raw, CUSTOMER);
}

static void an_update_clears_what_is_empty(void **state)
{
    struct payment_customer customer;

    (void)state;
    answer_with(200, CUSTOMER);
    assert_ok(
        stripe_customer_update(&stub.cx, stub.client, "acct_1", "cus_1", &params, "k2", &customer));
    assert_string_equal(stub.line, "POST /v1/customers/cus_1");
    assert_string_equal(
        stub.body,
        "email=a%40b.example&name=&phone=&description=&metadata[billingos_org]=org_1&"
        "metadata[billingos_id]=cus_x&metadata[billingos_op_id]=op_1");
}

static void a_deleted_customer_is_found(void **state)
{
    struct payment_customer customer;

    (void)state;
    answer_with(200, "{\"id\":\"cus_1\",\"object\":\"customer\",\"deleted\":true}");
    assert_ok(stripe_customer_retrieve(&stub.cx, stub.client, "acct_1", "cus_1", &customer));
    assert_true(customer.deleted);
    assert_string_equal(customer.email, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(a_customer_is_made_on_the_account),
        WITH_STUB(an_update_clears_what_is_empty),
        WITH_STUB(a_deleted_customer_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
