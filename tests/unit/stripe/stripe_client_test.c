#include "stripe/stripe_client.h"

#include "base/deadline.h"
#include "stripe/stripe_budget.h"
#include "stripe_kit.h"

#define OBJECT "{\"object\":\"thing\",\"id\":\"x_1\"}"

static struct status post(void)
{
    AUTO_BUF form = {0};
    struct json *json = NULL;
    const char *raw = NULL;
    struct status status;

    buf_init(&form, 100);
    buf_text(&form, "a=1");
    status = stripe_client_call(
        &stub.cx,
        stub.client,
        &(struct stripe_call){
            .endpoint = "things.create",
            .verb = STRIPE_POST,
            .path = "/v1/things",
            .account_id = "acct_1",
            .form = &form,
            .idempotency_key = "bos:1",
            .object = "thing",
        },
        &json,
        &raw);
    if (status.code == CODE_OK) {
        assert_string_equal(raw, OBJECT);
        assert_string_equal(json_text(&stub.cx, json_root(json), "id"), "x_1");
    }
    json_free(json);
    return status;
}

static struct status read_or_delete(enum stripe_verb verb)
{
    struct json *json = NULL;
    const char *raw = NULL;
    const struct status status = stripe_client_call(
        &stub.cx,
        stub.client,
        &(struct stripe_call){
            .endpoint = "things.retrieve",
            .verb = verb,
            .path = "/v1/things/x_1",
            .account_id = "acct_1",
            .object = "thing",
        },
        &json,
        &raw);

    json_free(json);
    return status;
}

static void a_write_carries_key_account_and_version(void **state)
{
    (void)state;
    answer_with(200, OBJECT);
    assert_ok(post());
    assert_string_equal(stub.line, "POST /v1/things");
    assert_string_equal(stub.body, "a=1");
    assert_string_equal(stub.account, "acct_1");
    assert_string_equal(stub.key, "bos:1");
    assert_string_equal(stub.version, "2026-10-28.endive");
    assert_string_equal(stub.authorization, "Bearer sk_test_1");
    assert_int_equal(stripe_client_error(stub.client)->failure, PAYMENT_FAILURE_NONE);
}

static void a_read_carries_no_key(void **state)
{
    (void)state;
    answer_with(200, OBJECT);
    assert_ok(read_or_delete(STRIPE_GET));
    assert_string_equal(stub.line, "GET /v1/things/x_1");
    assert_string_equal(stub.key, "");
    assert_string_equal(stub.body, "");
}

static void a_write_is_sent_again_with_the_same_key(void **state)
{
    static const struct answer failures[] = {
        {.drop = true},
        {.status = 500, .body = "{}"},
        {.status = 503},
        {.status = 409, .body = "{}"},
        {.status = 424},
        {.status = 429, .header_name = "Stripe-Should-Retry", .header_value = "true"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        answer_with(200, OBJECT);
        stub.answers[0] = failures[i];
        stub.answers[1] = failures[i];
        stub.answers[2] = (struct answer){.status = 200, .body = OBJECT};
        assert_ok(post());
        assert_true(atomic_load(&stub.calls) >= 3);
        assert_string_equal(stub.key, "bos:1");
    }
}

static void what_cannot_succeed_is_sent_once(void **state)
{
    static const struct {
        struct answer answer;
        enum reason reason;
    } cases[] = {
        {{.status = 400, .body = "{}"}, REASON_PAYMENT_SIDE_REJECTED},
        {{.status = 402, .body = "{}"}, REASON_PAYMENT_DECLINED},
        {{.status = 404, .body = "{}"}, REASON_PAYMENT_SIDE_REJECTED},
        {{.status = 401, .body = "{}"}, REASON_PAYMENT_ACCOUNT_NOT_CONNECTED},
        {{.status = 429, .body = "{}"}, REASON_PAYMENT_SIDE_UNAVAILABLE},
        {{.status = 500, .header_name = "Stripe-Should-Retry", .header_value = "false"},
         REASON_OUTCOME_PENDING},
        {{.status = 200, .body = "<html>"}, REASON_OUTCOME_PENDING},
        {{.status = 200, .body = "{\"object\":\"other\"}"}, REASON_OUTCOME_PENDING},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        answer_with(200, OBJECT);
        stub.answers[0] = cases[i].answer;
        assert_int_equal(status_reason(post()), cases[i].reason);
        assert_int_equal(atomic_load(&stub.calls), 1);
    }
    assert_string_equal(stripe_client_error(stub.client)->request_id, "req_1");
}

static void attempts_end(void **state)
{
    struct status status;

    (void)state;
    answer_with(500, "{}");
    status = post();
    assert_int_equal(status_reason(status), REASON_OUTCOME_PENDING);
    assert_true(status.error->retry_ms > 0);
    assert_int_equal(atomic_load(&stub.calls), 3);
    answer_with(500, "{}");
    assert_int_equal(status_reason(read_or_delete(STRIPE_GET)), REASON_PAYMENT_SIDE_UNAVAILABLE);
    assert_int_equal(atomic_load(&stub.calls), 3);
}

/* There is no key for it: the second one would meet what the first has done. */
static void a_delete_in_doubt_is_not_sent_again(void **state)
{
    (void)state;
    answer_with(200, OBJECT);
    stub.answers[0] = (struct answer){.drop = true};
    assert_int_equal(status_reason(read_or_delete(STRIPE_DELETE)), REASON_OUTCOME_PENDING);
}

static void doubt_stays_when_a_later_attempt_is_kept_away(void **state)
{
    (void)state;
    answer_with(500, "{}");
    stub.answers[1] = (struct answer){.status = 429, .body = "{}"};
    assert_int_equal(status_reason(post()), REASON_OUTCOME_PENDING);
    assert_int_equal(atomic_load(&stub.calls), 2);
}

static void an_unreachable_payment_side_has_done_nothing(void **state)
{
    struct status status;

    (void)state;
    http_server_stop(stub.server);
    status = post();
    assert_int_equal(status_reason(status), REASON_PAYMENT_SIDE_UNAVAILABLE);
    assert_true(status.error->retry_ms > 0);
    assert_int_equal(stripe_client_error(stub.client)->failure, PAYMENT_FAILURE_UNREACHABLE);
}

static void the_deadline_bounds_waiting_and_retries(void **state)
{
    const int64_t start_us = monotonic_us();
    struct status status;

    (void)state;
    answer_with(200, OBJECT);
    stub.answers[0] =
        (struct answer){.status = 503, .header_name = "Retry-After", .header_value = "3"};
    stub.cx.deadline_us = deadline_in_ms(1000);
    status = post();
    assert_int_equal(status_reason(status), REASON_OUTCOME_PENDING);
    assert_int_equal(status.error->retry_ms, 3000);
    assert_true(monotonic_us() - start_us < 900000);
    assert_int_equal(atomic_load(&stub.calls), 1);
    stub.cx.deadline_us = 1;
    assert_int_equal(status_reason(post()), REASON_DEADLINE_EXCEEDED);
    assert_int_equal(atomic_load(&stub.calls), 1);
}

static void retry_after_is_waited_for(void **state)
{
    const int64_t start_us = monotonic_us();

    (void)state;
    answer_with(200, OBJECT);
    stub.answers[0] =
        (struct answer){.status = 429, .header_name = "Retry-After", .header_value = "1"};
    stub.answers[1] = (struct answer){.status = 200, .body = OBJECT};
    assert_ok(post());
    assert_in_range(monotonic_us() - start_us, 1000000, 2500000);
}

static void the_budget_makes_calls_wait(void **state)
{
    struct stripe_budget *budget =
        stripe_budget_new(&(struct stripe_budget_config){.account_per_second = 4});
    const int64_t start_us = monotonic_us();
    struct status status;

    (void)state;
    stripe_client_free(stub.client);
    stub.client = new_client((struct stripe_client_config){.budget = budget});
    answer_with(200, OBJECT);
    for (int i = 0; i < 6; i++) {
        assert_ok(post());
    }
    assert_in_range(monotonic_us() - start_us, 400000, 1500000);
    stub.cx.deadline_us = deadline_in_ms(20);
    status = post();
    assert_int_equal(status_reason(status), REASON_PAYMENT_SIDE_UNAVAILABLE);
    assert_in_range(status.error->retry_ms, 1, 300);
    stripe_client_free(stub.client);
    stub.client = NULL;
    stripe_budget_free(budget);
}

static void calls_that_must_not_be_made_are_not(void **state)
{
    struct json *json = NULL;
    const char *raw = NULL;
    struct stripe_call call = {
        .endpoint = "things.create",
        .verb = STRIPE_POST,
        .path = "/v1/things",
        .account_id = "",
        .idempotency_key = "k",
        .object = "thing",
    };

    (void)state;
    answer_with(200, OBJECT);
    assert_int_equal(
        status_reason(stripe_client_call(&stub.cx, stub.client, &call, &json, &raw)),
        REASON_PAYMENT_ACCOUNT_NOT_CONNECTED);
    call.account_id = "acct_1";
    call.idempotency_key = "";
    assert_int_equal(
        status_reason(stripe_client_call(&stub.cx, stub.client, &call, &json, &raw)),
        REASON_INTERNAL);
    stub.cx.may_block = false;
    assert_int_equal(status_reason(post()), REASON_WOULD_BLOCK);
    assert_int_equal(atomic_load(&stub.calls), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(a_write_carries_key_account_and_version),
        WITH_STUB(a_read_carries_no_key),
        WITH_STUB(a_write_is_sent_again_with_the_same_key),
        WITH_STUB(what_cannot_succeed_is_sent_once),
        WITH_STUB(attempts_end),
        WITH_STUB(a_delete_in_doubt_is_not_sent_again),
        WITH_STUB(doubt_stays_when_a_later_attempt_is_kept_away),
        WITH_STUB(an_unreachable_payment_side_has_done_nothing),
        WITH_STUB(the_deadline_bounds_waiting_and_retries),
        WITH_STUB(retry_after_is_waited_for),
        WITH_STUB(the_budget_makes_calls_wait),
        WITH_STUB(calls_that_must_not_be_made_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
