#include "stripe/stripe_event.h"

#include "stripe_kit.h"

static void an_event_names_what_changed(void **state)
{
    static const char body[] =
        "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"invoice.payment_failed\","
        "\"account\":\"acct_1\",\"api_version\":\"2026-10-28.endive\",\"created\":1700000000,"
        "\"livemode\":true,\"data\":{\"object\":{\"id\":\"in_1\",\"object\":\"invoice\","
        "\"customer\":\"cus_1\",\"parent\":{\"subscription_details\":{\"subscription\":\"sub_1\"}}}"
        "},"
        "\"request\":{\"id\":\"req_1\",\"idempotency_key\":\"bos:op_1\"}}";
    struct payment_event event;

    (void)state;
    assert_ok(stripe_event_parse(&stub.cx, body, sizeof body - 1, &event));
    assert_string_equal(event.id, "evt_1");
    assert_string_equal(event.type, "invoice.payment_failed");
    assert_string_equal(event.account_id, "acct_1");
    assert_string_equal(event.object_id, "in_1");
    assert_string_equal(event.object_type, "invoice");
    assert_string_equal(event.customer_id, "cus_1");
    assert_string_equal(event.subscription_id, "sub_1");
    assert_string_equal(event.request_id, "req_1");
    assert_string_equal(event.idempotency_key, "bos:op_1");
    assert_int_equal(event.created_us, INT64_C(1700000000000000));
    assert_true(event.live && !event.thin);
}

static void a_renewal_has_no_request(void **state)
{
    static const char body[] =
        "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"customer.updated\",\"request\":null,"
        "\"data\":{\"object\":{\"id\":\"cus_1\",\"object\":\"customer\"}}}";
    struct payment_event event;

    (void)state;
    assert_ok(stripe_event_parse(&stub.cx, body, sizeof body - 1, &event));
    assert_string_equal(event.request_id, "");
    assert_string_equal(event.account_id, "");
    assert_false(event.live);
}

static void a_thin_event_does_too(void **state)
{
    static const char body[] =
        "{\"id\":\"evt_2\",\"object\":\"v2.core.event\",\"type\":\"v1.billing.meter.no_meter_"
        "found\","
        "\"created\":\"2026-11-24T13:42:22Z\",\"livemode\":false,\"context\":\"acct_1\","
        "\"related_object\":{\"id\":\"mtr_1\",\"type\":\"billing.meter\",\"url\":\"/v1/x\"},"
        "\"reason\":{\"type\":\"request\",\"request\":{\"id\":\"req_2\",\"idempotency_key\":\"k\"}}"
        "}";
    struct payment_event event;

    (void)state;
    assert_ok(stripe_event_parse(&stub.cx, body, sizeof body - 1, &event));
    assert_true(event.thin);
    assert_string_equal(event.account_id, "acct_1");
    assert_string_equal(event.object_id, "mtr_1");
    assert_string_equal(event.object_type, "billing.meter");
    assert_string_equal(event.idempotency_key, "k");
    assert_string_equal(event.api_version, "");
    assert_string_equal(event.customer_id, "");
}

static void other_bodies_are_no_events(void **state)
{
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"object\":\"event\"}",
        "{\"object\":\"charge\",\"id\":\"x\",\"type\":\"y\"}",
        "{\"object\":\"event\",\"id\":\"evt_1\",\"id\":\"evt_2\",\"type\":\"y\"}",
    };
    struct payment_event event;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        assert_int_equal(
            status_reason(stripe_event_parse(&stub.cx, bodies[i], strlen(bodies[i]), &event)),
            REASON_MESSAGE_MALFORMED);
    }
}

static void a_replay_runs_in_the_order_of_events(void **state)
{
    static const char *const types[] = {"invoice.paid", "customer.*", NULL};
    const struct stripe_event_query query = {
        .after = "evt_0",
        .types = types,
        .created_from_us = INT64_C(1700000000000000),
        .limit = 100,
        .undelivered = true,
    };
    struct payment_event_page page;

    (void)state;
    answer_with(
        200,
        "{\"object\":\"list\",\"has_more\":true,\"data\":["
        "{\"id\":\"evt_3\",\"object\":\"event\",\"type\":\"c\"},"
        "{\"id\":\"evt_2\",\"object\":\"event\",\"type\":\"b\",\"account\":\"acct_9\"},"
        "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"a\"}]}");
    assert_ok(stripe_event_list(&stub.cx, stub.client, "acct_1", &query, &page));
    assert_string_equal(
        stub.line,
        "GET /v1/events?ending_before=evt_0&limit=100&types[0]=invoice.paid&types[1]=customer.%2A&"
        "created[gte]=1700000000&delivery_success=false");
    assert_string_equal(stub.account, "acct_1");
    assert_int_equal(page.count, 3);
    assert_true(page.has_more);
    assert_string_equal(page.events[0].id, "evt_1");
    assert_string_equal(page.events[0].account_id, "acct_1");
    assert_string_equal(page.events[1].account_id, "acct_9");
    assert_string_equal(page.events[2].id, "evt_3");
    assert_ok(stripe_event_list(
        &stub.cx, stub.client, "", &(struct stripe_event_query){.after = "", .limit = 1}, &page));
    assert_string_equal(stub.line, "GET /v1/events?limit=1");
    assert_string_equal(stub.account, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(an_event_names_what_changed),
        WITH_STUB(a_renewal_has_no_request),
        WITH_STUB(a_thin_event_does_too),
        WITH_STUB(other_bodies_are_no_events),
        WITH_STUB(a_replay_runs_in_the_order_of_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
