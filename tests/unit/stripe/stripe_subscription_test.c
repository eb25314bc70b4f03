#include "stripe/stripe_subscription.h"

#include "stripe_kit.h"

#define ITEMS(more)                                                                          \
    "\"items\":{\"object\":\"list\",\"has_more\":" more ",\"data\":["                        \
    "{\"id\":\"si_1\",\"price\":{\"id\":\"price_1\",\"product\":\"prod_1\"},\"quantity\":3," \
    "\"current_period_start\":1700000000,\"current_period_end\":1702592000},"                \
    "{\"id\":\"si_2\",\"price\":\"price_2\",\"current_period_start\":1700000100,"            \
    "\"current_period_end\":1702591000}]}"

#define SUBSCRIPTION(status, more)                                                               \
    "{\"id\":\"sub_1\",\"object\":\"subscription\",\"status\":\"" status                         \
    "\",\"customer\":\"cus_1\","                                                                 \
    "\"currency\":\"eur\",\"latest_invoice\":{\"id\":\"in_1\"},\"default_payment_method\":null," \
    "\"collection_method\":\"charge_automatically\",\"billing_mode\":{\"type\":\"flexible\"},"   \
    "\"cancel_at_period_end\":true,\"cancel_at\":1702592000,\"canceled_at\":1700000050,"         \
    "\"ended_at\":null,\"cancellation_details\":{\"reason\":\"cancellation_requested\","         \
    "\"feedback\":\"too_expensive\",\"comment\":null},\"trial_start\":1699000000,"               \
    "\"trial_end\":1700000000,\"pause_collection\":{\"behavior\":\"void\",\"resumes_at\":"       \
    "1701000000},"                                                                               \
    "\"metadata\":{\"billingos_id\":\"sub_x\"},\"livemode\":true," ITEMS(more) "}"

static void a_subscription_is_asked_for_in_full(void **state)
{
    const struct stripe_subscription_line lines[] = {
        {.price_id = "price_1", .quantity = 3}, {.price_id = "price_2", .quantity = 0}};
    const struct stripe_subscription_params params = {
        .customer_id = "cus_1",
        .lines = lines,
        .line_count = 2,
        .trial_days = 14,
        .default_payment_method = "",
        .payment_behavior = "default_incomplete",
        .application_fee_bps = 250,
        .coupon = "",
        .marks = {.org_id = "org_1", .object_id = "sub_x", .operation_id = "op_1"},
    };
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("active", "false"));
    assert_ok(stripe_subscription_create(
        &stub.cx, stub.client, "acct_1", &params, "bos:op_1", &subscription));
    assert_string_equal(stub.line, "POST /v1/subscriptions");
    assert_string_equal(stub.account, "acct_1");
    assert_string_equal(stub.key, "bos:op_1");
    assert_string_equal(
        stub.body,
        "customer=cus_1&items[0][price]=price_1&items[0][quantity]=3&items[1][price]=price_2&"
        "billing_mode[type]=flexible&trial_period_days=14&payment_behavior=default_incomplete&"
        "application_fee_percent=2.50&metadata[billingos_org]=org_1&"
        "metadata[billingos_id]=sub_x&metadata[billingos_op_id]=op_1");
}

static void an_invoiced_one_with_a_coupon_and_a_trial_end(void **state)
{
    const struct stripe_subscription_line line = {.price_id = "price_1", .quantity = 1};
    const struct stripe_subscription_params params = {
        .customer_id = "cus_1",
        .lines = &line,
        .line_count = 1,
        .trial_end_us = INT64_C(1700000000000000),
        .default_payment_method = "pm_1",
        .payment_behavior = "",
        .by_invoice = true,
        .days_until_due = 30,
        .coupon = "half",
        .marks = {.org_id = "", .object_id = "", .operation_id = ""},
    };
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("trialing", "false"));
    assert_ok(
        stripe_subscription_create(&stub.cx, stub.client, "acct_1", &params, "k", &subscription));
    assert_string_equal(
        stub.body,
        "customer=cus_1&items[0][price]=price_1&items[0][quantity]=1&billing_mode[type]=flexible&"
        "trial_end=1700000000&default_payment_method=pm_1&collection_method=send_invoice&"
        "days_until_due=30&discounts[0][coupon]=half");
    assert_int_equal(subscription.status, SUBSCRIPTION_TRIALING);
}

static void every_field_is_read(void **state)
{
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("past_due", "false"));
    assert_ok(
        stripe_subscription_retrieve(&stub.cx, stub.client, "acct_1", "sub_1", &subscription));
    assert_string_equal(stub.line, "GET /v1/subscriptions/sub_1");
    assert_string_equal(subscription.id, "sub_1");
    assert_string_equal(subscription.customer_id, "cus_1");
    assert_string_equal(subscription.status_text, "past_due");
    assert_int_equal(subscription.status, SUBSCRIPTION_PAST_DUE);
    assert_string_equal(subscription.currency, "EUR");
    assert_string_equal(subscription.latest_invoice_id, "in_1");
    assert_string_equal(subscription.default_payment_method, "");
    assert_true(subscription.cancel_at_period_end);
    assert_int_equal(subscription.cancel_at_us, INT64_C(1702592000000000));
    assert_int_equal(subscription.canceled_us, INT64_C(1700000050000000));
    assert_int_equal(subscription.ended_us, 0);
    assert_string_equal(subscription.cancel_feedback, "too_expensive");
    assert_string_equal(subscription.cancel_comment, "");
    assert_int_equal(subscription.trial_end_us, INT64_C(1700000000000000));
    assert_string_equal(subscription.pause_behavior, "void");
    assert_int_equal(subscription.item_count, 2);
    assert_string_equal(subscription.items[0].product_id, "prod_1");
    assert_int_equal(subscription.items[0].quantity, 3);
    assert_string_equal(subscription.items[1].price_id, "price_2");
    assert_int_equal(subscription.period_start_us, INT64_C(1700000100000000));
    assert_int_equal(subscription.period_end_us, INT64_C(1702591000000000));
    assert_string_equal(subscription.marks.object_id, "sub_x");
    assert_true(subscription.live);
    assert_string_equal(subscription.raw, SUBSCRIPTION("past_due", "false"));
}

static void an_unknown_status_is_kept_and_gives_nothing(void **state)
{
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("hibernating", "false"));
    assert_ok(
        stripe_subscription_retrieve(&stub.cx, stub.client, "acct_1", "sub_1", &subscription));
    assert_string_equal(subscription.status_text, "hibernating");
    assert_int_equal(subscription.status, SUBSCRIPTION_INCOMPLETE);
}

static void items_beyond_the_tenth_are_fetched(void **state)
{
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("active", "true"));
    stub.answers[1] = (struct answer){
        .status = 200,
        .body =
            "{\"object\":\"list\",\"has_more\":false,\"data\":[{\"id\":\"si_1\"},{\"id\":\"si_2\"},"
            "{\"id\":\"si_3\"}]}"};
    assert_ok(
        stripe_subscription_retrieve(&stub.cx, stub.client, "acct_1", "sub_1", &subscription));
    assert_string_equal(stub.line, "GET /v1/subscription_items?subscription=sub_1&limit=100");
    assert_int_equal(subscription.item_count, 3);
    assert_string_equal(subscription.items[2].id, "si_3");
}

static void a_list_has_ended_ones_too(void **state)
{
    struct payment_subscription_page page;

    (void)state;
    answer_with(
        200,
        "{\"object\":\"list\",\"has_more\":true,\"data\":[" SUBSCRIPTION(
            "canceled", "false") "," SUBSCRIPTION("active", "false") "]}");
    assert_ok(
        stripe_subscription_list(&stub.cx, stub.client, "acct_1", "cus_1", "sub_0", 50, &page));
    assert_string_equal(
        stub.line, "GET /v1/subscriptions?customer=cus_1&status=all&limit=50&starting_after=sub_0");
    assert_int_equal(page.count, 2);
    assert_true(page.has_more);
    assert_int_equal(page.subscriptions[0].status, SUBSCRIPTION_CANCELED);
    assert_string_equal(page.subscriptions[1].raw, SUBSCRIPTION("active", "false"));
}

static void a_change_names_the_item(void **state)
{
    const struct stripe_item_change items[] = {
        {.item_id = "si_1", .price_id = "price_9", .quantity = 5},
        {.item_id = "si_2", .price_id = "", .remove = true},
        {.item_id = "", .price_id = "price_8"},
    };
    const struct stripe_subscription_change change = {
        .items = items,
        .item_count = 3,
        .proration_behavior = "always_invoice",
        .proration_us = INT64_C(1700000000000000),
        .payment_behavior = "",
        .default_payment_method = "",
    };
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("active", "false"));
    assert_ok(stripe_subscription_change(
        &stub.cx, stub.client, "acct_1", "sub_1", &change, "k", &subscription));
    assert_string_equal(stub.line, "POST /v1/subscriptions/sub_1");
    assert_string_equal(
        stub.body,
        "items[0][id]=si_1&items[0][price]=price_9&items[0][quantity]=5&items[1][id]=si_2&"
        "items[1][deleted]=true&items[2][price]=price_8&proration_behavior=always_invoice&"
        "proration_date=1700000000");
}

static const struct stripe_subscription_end end = {
    .prorate = true, .feedback = "too_expensive", .comment = ""};

static void cancellations(void **state)
{
    struct payment_subscription subscription;

    (void)state;
    answer_with(200, SUBSCRIPTION("canceled", "false"));
    assert_ok(
        stripe_subscription_cancel(&stub.cx, stub.client, "acct_1", "sub_1", &end, &subscription));
    assert_string_equal(
        stub.line,
        "DELETE /v1/subscriptions/sub_1?prorate=true&cancellation_details[feedback]=too_expensive");
    assert_ok(stripe_subscription_cancel_at_period_end(
        &stub.cx, stub.client, "acct_1", "sub_1", &end, "k", &subscription));
    assert_string_equal(
        stub.body, "cancel_at_period_end=true&cancellation_details[feedback]=too_expensive");
    assert_ok(
        stripe_subscription_keep(&stub.cx, stub.client, "acct_1", "sub_1", "k", &subscription));
    assert_string_equal(stub.body, "cancel_at_period_end=false");
}

/* A lost answer, and a second DELETE that finds nothing: the subscription itself tells. */
static void a_cancellation_that_has_happened_is_a_success(void **state)
{
    static const struct answer failures[] = {
        {.drop = true},
        {.status = 500, .body = "{}"},
        {.status = 404, .body = "{\"error\":{\"code\":\"resource_missing\"}}"},
    };
    struct payment_subscription subscription;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        answer_with(200, SUBSCRIPTION("canceled", "false"));
        stub.answers[0] = failures[i];
        stub.answers[1] =
            failures[i].drop
                ? failures[i] /* libcurl may have had a kept connection */
                : (struct answer){.status = 200, .body = SUBSCRIPTION("canceled", "false")};
        stub.answers[2] = (struct answer){.status = 200, .body = SUBSCRIPTION("canceled", "false")};
        stub.answers[3] = stub.answers[2];
        if (failures[i].status == 500) {
            stub.answers[0].header_name = "Stripe-Should-Retry";
            stub.answers[0].header_value = "false";
        }
        assert_ok(stripe_subscription_cancel(
            &stub.cx, stub.client, "acct_1", "sub_1", &end, &subscription));
        assert_int_equal(subscription.status, SUBSCRIPTION_CANCELED);
        answer_with(200, SUBSCRIPTION("active", "false"));
        stub.answers[0] = (struct answer){.status = 404, .body = "{}"};
        stub.answers[1] = (struct answer){.status = 200, .body = SUBSCRIPTION("active", "false")};
        assert_int_equal(
            status_reason(stripe_subscription_cancel(
                &stub.cx, stub.client, "acct_1", "sub_1", &end, &subscription)),
            REASON_PAYMENT_SIDE_REJECTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(a_subscription_is_asked_for_in_full),
        WITH_STUB(an_invoiced_one_with_a_coupon_and_a_trial_end),
        WITH_STUB(every_field_is_read),
        WITH_STUB(an_unknown_status_is_kept_and_gives_nothing),
        WITH_STUB(items_beyond_the_tenth_are_fetched),
        WITH_STUB(a_list_has_ended_ones_too),
        WITH_STUB(a_change_names_the_item),
        WITH_STUB(cancellations),
        WITH_STUB(a_cancellation_that_has_happened_is_a_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
