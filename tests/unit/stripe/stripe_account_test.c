#include "stripe/stripe_account.h"

#include "stripe_kit.h"

#define ACCOUNT                                                                               \
    "{\"id\":\"acct_1\",\"object\":\"account\",\"charges_enabled\":true,\"payouts_enabled\":" \
    "false,"                                                                                  \
    "\"details_submitted\":true,\"country\":\"DE\",\"default_currency\":\"eur\",\"created\":" \
    "1700000000,"                                                                             \
    "\"requirements\":{\"currently_due\":[\"b\",\"a\",\"c\"],\"past_due\":[\"a\"],"           \
    "\"disabled_reason\":\"requirements.past_due\",\"current_deadline\":1700000500}}"

static void an_account_is_made_by_the_platform(void **state)
{
    const struct stripe_account_params params = {
        .country = "DE",
        .email = "a@b.example",
        .business_name = "",
        .business_url = "",
        .marks = {.org_id = "org_1", .object_id = "", .operation_id = ""},
    };
    struct payment_account account;
    const char *raw = NULL;

    (void)state;
    answer_with(200, ACCOUNT);
    assert_ok(
        stripe_account_create(&stub.cx, stub.client, &params, "bos:acct:org_1", &account, &raw));
    assert_string_equal(stub.line, "POST /v1/accounts");
    assert_string_equal(stub.account, "");
    assert_string_equal(stub.key, "bos:acct:org_1");
    assert_string_equal(
        stub.body,
        "controller[stripe_dashboard][type]=express&controller[fees][payer]=application&"
        "controller[losses][payments]=application&controller[requirement_collection]=stripe&"
        "country=DE&email=a%40b.example&capabilities[card_payments][requested]=true&"
        "capabilities[transfers][requested]=true&metadata[billingos_org]=org_1");
    assert_string_equal(raw, ACCOUNT);
    assert_string_equal(account.account_id, "acct_1");
    assert_string_equal(account.default_currency, "EUR");
    assert_true(account.charges_enabled && account.details_submitted && !account.payouts_enabled);
    assert_int_equal(account.requirement_count, 3);
    assert_int_equal(account.overdue_count, 1);
    assert_string_equal(account.requirements[0], "a");
    assert_string_equal(account.requirements[1], "b");
    assert_string_equal(account.requirements[2], "c");
    assert_int_equal(account.deadline_us, INT64_C(1700000500000000));
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_PAYOUTS_PAUSED);
}

static void it_is_read_by_id_or_as_our_own(void **state)
{
    struct payment_account account;
    const char *raw = NULL;

    (void)state;
    answer_with(200, ACCOUNT);
    assert_ok(stripe_account_retrieve(&stub.cx, stub.client, "acct_1", &account, &raw));
    assert_string_equal(stub.line, "GET /v1/accounts/acct_1");
    assert_ok(stripe_account_retrieve(&stub.cx, stub.client, "", &account, &raw));
    assert_string_equal(stub.line, "GET /v1/account");
    answer_with(403, "{\"error\":{\"code\":\"account_invalid\"}}");
    assert_int_equal(
        status_reason(stripe_account_retrieve(&stub.cx, stub.client, "acct_1", &account, &raw)),
        REASON_PAYMENT_ACCOUNT_NOT_CONNECTED);
}

static void links_are_new_each_time(void **state)
{
    const char *url = NULL;
    int64_t expires_us = 0;
    char first_key[300];

    (void)state;
    answer_with(
        200,
        "{\"object\":\"account_link\",\"url\":\"https://pay.example/"
        "l\",\"expires_at\":1700000300}");
    assert_ok(stripe_account_link(
        &stub.cx, stub.client, "acct_1", "https://us/again", "https://us/done", &url, &expires_us));
    assert_string_equal(stub.line, "POST /v1/account_links");
    assert_string_equal(
        stub.body,
        "account=acct_1&type=account_onboarding&refresh_url=https%3A%2F%2Fus%2Fagain&"
        "return_url=https%3A%2F%2Fus%2Fdone&collection_options[fields]=eventually_due");
    assert_string_equal(url, "https://pay.example/l");
    assert_int_equal(expires_us, INT64_C(1700000300000000));
    keep(first_key, sizeof first_key, stub.key);
    assert_ok(stripe_account_link(
        &stub.cx, stub.client, "acct_1", "https://us/again", "https://us/done", &url, &expires_us));
    assert_string_not_equal(stub.key, first_key);
    answer_with(200, "{\"object\":\"login_link\",\"url\":\"https://pay.example/d\"}");
    assert_ok(stripe_account_login_link(&stub.cx, stub.client, "acct_1", &url));
    assert_string_equal(stub.line, "POST /v1/accounts/acct_1/login_links");
    assert_string_equal(url, "https://pay.example/d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(an_account_is_made_by_the_platform),
        WITH_STUB(it_is_read_by_id_or_as_our_own),
        WITH_STUB(links_are_new_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
