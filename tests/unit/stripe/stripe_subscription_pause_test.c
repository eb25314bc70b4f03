#include "stripe/stripe_subscription_pause.h"

#include "stripe_kit.h"

#define SUBSCRIPTION(status)                                                         \
    "{\"id\":\"sub_1\",\"object\":\"subscription\",\"status\":\"" status             \
    "\",\"customer\":\"cus_1\",\"currency\":\"eur\",\"items\":{\"object\":\"list\"," \
    "\"has_more\":false,\"data\":[]}}"

static const struct stripe_subscription_target target = {
    .account_id = "acct_1", .subscription_id = "sub_1", .idempotency_key = "k"};

static void expect(const char *line, const char *body)
{
    assert_string_equal(stub.line, line);
    assert_string_equal(stub.body, body);
    assert_string_equal(stub.account, "acct_1");
    assert_string_equal(stub.key, "k");
}

static void collection_is_paused_and_resumed(void **state)
{
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("active"));
    assert_ok(stripe_subscription_pause_collection(
        &stub.cx, stub.client, &target, "void", INT64_C(1700000000000000), &subscription));
    expect(
        "POST /v1/subscriptions/sub_1",
        "pause_collection[behavior]=void&pause_collection[resumes_at]=1700000000");
    assert_ok(stripe_subscription_pause_collection(
        &stub.cx, stub.client, &target, "keep_as_draft", 0, &subscription));
    expect("POST /v1/subscriptions/sub_1", "pause_collection[behavior]=keep_as_draft");
    assert_ok(stripe_subscription_resume_collection(&stub.cx, stub.client, &target, &subscription));
    expect("POST /v1/subscriptions/sub_1", "pause_collection=");
}

static void a_subscription_is_paused_and_resumed(void **state)
{
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("paused"));
    assert_ok(stripe_subscription_pause(&stub.cx, stub.client, &target, false, &subscription));
    expect("POST /v1/subscriptions/sub_1/pause", "type=subscription");
    assert_int_equal(subscription.status, SUBSCRIPTION_PAUSED);
    assert_ok(stripe_subscription_pause(&stub.cx, stub.client, &target, true, &subscription));
    expect(
        "POST /v1/subscriptions/sub_1/pause",
        "type=subscription&bill_for[unused_time_from][type]=now&invoicing_behavior=invoice");
    assert_ok(stripe_subscription_resume(&stub.cx, stub.client, &target, false, &subscription));
    expect(
        "POST /v1/subscriptions/sub_1/resume",
        "billing_cycle_anchor[type]=unchanged&payment_behavior=resume_on_payment_success");
    assert_ok(stripe_subscription_resume(&stub.cx, stub.client, &target, true, &subscription));
    expect(
        "POST /v1/subscriptions/sub_1/resume",
        "billing_cycle_anchor[type]=now&payment_behavior=resume_on_payment_success");
}

static void the_end_of_a_trial_is_moved(void **state)
{
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("trialing"));
    assert_ok(stripe_subscription_move_trial(
        &stub.cx, stub.client, &target, INT64_C(1700000000000000), &subscription));
    expect("POST /v1/subscriptions/sub_1", "trial_end=1700000000&proration_behavior=none");
    assert_ok(stripe_subscription_move_trial(&stub.cx, stub.client, &target, 0, &subscription));
    expect(
        "POST /v1/subscriptions/sub_1",
        "trial_end=now&payment_behavior=error_if_incomplete&proration_behavior=none");
}

static void a_draft_begins_to_move(void **state)
{
    (void)state;
    answer_with(200, "{\"id\":\"in_1\",\"object\":\"invoice\"}");
    assert_ok(stripe_subscription_collect_draft(&stub.cx, stub.client, "acct_1", "in_1", "k"));
    expect("POST /v1/invoices/in_1", "auto_advance=true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(collection_is_paused_and_resumed),
        WITH_STUB(a_subscription_is_paused_and_resumed),
        WITH_STUB(the_end_of_a_trial_is_moved),
        WITH_STUB(a_draft_begins_to_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
