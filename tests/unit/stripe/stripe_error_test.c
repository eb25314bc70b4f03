#include "stripe/stripe_error.h"

#include "stripe_kit.h"

#define ERROR(fields) "{\"error\":{" fields "}}"

static const struct {
    enum http_outcome outcome;
    int status;
    const char *body;
    enum payment_failure read; /* of a request that only reads */
    enum payment_failure write;
    enum reason reason; /* of the latter */
} cases[] = {
    {HTTP_ANSWERED, 200, "{}", PAYMENT_FAILURE_NONE, PAYMENT_FAILURE_NONE, REASON_NONE},
    {HTTP_NOT_SENT,
     0,
     "",
     PAYMENT_FAILURE_UNREACHABLE,
     PAYMENT_FAILURE_UNREACHABLE,
     REASON_PAYMENT_SIDE_UNAVAILABLE},
    {HTTP_UNKNOWN,
     0,
     "",
     PAYMENT_FAILURE_UNREACHABLE,
     PAYMENT_FAILURE_UNKNOWN,
     REASON_OUTCOME_PENDING},
    {HTTP_ANSWERED,
     400,
     ERROR("\"type\":\"invalid_request_error\",\"code\":\"parameter_missing\""),
     PAYMENT_FAILURE_REJECTED,
     PAYMENT_FAILURE_REJECTED,
     REASON_PAYMENT_SIDE_REJECTED},
    {HTTP_ANSWERED,
     400,
     ERROR("\"type\":\"idempotency_error\""),
     PAYMENT_FAILURE_REJECTED,
     PAYMENT_FAILURE_REJECTED,
     REASON_PAYMENT_SIDE_REJECTED},
    {HTTP_ANSWERED,
     400,
     ERROR("\"code\":\"rate_limit\""),
     PAYMENT_FAILURE_BUSY,
     PAYMENT_FAILURE_BUSY,
     REASON_PAYMENT_SIDE_UNAVAILABLE},
    {HTTP_ANSWERED,
     401,
     ERROR("\"type\":\"invalid_request_error\""),
     PAYMENT_FAILURE_NO_ACCESS,
     PAYMENT_FAILURE_NO_ACCESS,
     REASON_PAYMENT_ACCOUNT_NOT_CONNECTED},
    {HTTP_ANSWERED,
     402,
     ERROR("\"type\":\"card_error\",\"code\":\"card_declined\""),
     PAYMENT_FAILURE_DECLINED,
     PAYMENT_FAILURE_DECLINED,
     REASON_PAYMENT_DECLINED},
    {HTTP_ANSWERED,
     403,
     ERROR("\"code\":\"account_invalid\""),
     PAYMENT_FAILURE_NO_ACCESS,
     PAYMENT_FAILURE_NO_ACCESS,
     REASON_PAYMENT_ACCOUNT_NOT_CONNECTED},
    {HTTP_ANSWERED,
     404,
     ERROR("\"code\":\"resource_missing\""),
     PAYMENT_FAILURE_NOT_FOUND,
     PAYMENT_FAILURE_NOT_FOUND,
     REASON_PAYMENT_SIDE_REJECTED},
    {HTTP_ANSWERED,
     409,
     ERROR("\"code\":\"idempotency_key_in_use\""),
     PAYMENT_FAILURE_BUSY,
     PAYMENT_FAILURE_UNKNOWN,
     REASON_OUTCOME_PENDING},
    {HTTP_ANSWERED, 424, "", PAYMENT_FAILURE_BUSY, PAYMENT_FAILURE_UNKNOWN, REASON_OUTCOME_PENDING},
    {HTTP_ANSWERED,
     429,
     ERROR("\"code\":\"lock_timeout\""),
     PAYMENT_FAILURE_BUSY,
     PAYMENT_FAILURE_BUSY,
     REASON_PAYMENT_SIDE_UNAVAILABLE},
    {HTTP_ANSWERED,
     500,
     "<html>",
     PAYMENT_FAILURE_UNREACHABLE,
     PAYMENT_FAILURE_UNKNOWN,
     REASON_OUTCOME_PENDING},
    {HTTP_ANSWERED,
     503,
     "",
     PAYMENT_FAILURE_UNREACHABLE,
     PAYMENT_FAILURE_UNKNOWN,
     REASON_OUTCOME_PENDING},
    {HTTP_ANSWERED,
     302,
     "",
     PAYMENT_FAILURE_UNREACHABLE,
     PAYMENT_FAILURE_UNKNOWN,
     REASON_OUTCOME_PENDING},
    {HTTP_ANSWERED,
     413,
     "",
     PAYMENT_FAILURE_REJECTED,
     PAYMENT_FAILURE_REJECTED,
     REASON_PAYMENT_SIDE_REJECTED},
};

static void each_answer_has_one_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct http_answer answer = {
            .outcome = cases[i].outcome,
            .status = cases[i].status,
            .body = (const uint8_t *)cases[i].body,
            .body_len = strlen(cases[i].body),
            .error = cases[i].outcome == HTTP_ANSWERED ? "" : "connection refused",
        };
        struct payment_error error;
        struct status status;

        stripe_error_read(&stub.cx, false, &answer, "req_1", &error);
        assert_int_equal(error.failure, cases[i].read);
        stripe_error_read(&stub.cx, true, &answer, "req_1", &error);
        assert_int_equal(error.failure, cases[i].write);
        assert_string_equal(error.request_id, "req_1");
        status = stripe_error_status(&stub.cx, &error);
        assert_int_equal(status_reason(status), cases[i].reason);
        assert_int_equal(
            status.error != NULL && status.error->retry_ms > 0,
            cases[i].reason == REASON_OUTCOME_PENDING ||
                cases[i].reason == REASON_PAYMENT_SIDE_UNAVAILABLE);
    }
}

static void a_decline_keeps_its_codes_and_not_its_words(void **state)
{
    static const char body[] =
        ERROR("\"type\":\"card_error\",\"code\":\"card_declined\",\"decline_code\":\"insufficient_"
              "funds\","
              "\"advice_code\":\"try_again_later\",\"message\":\"Stripe says no.\",\"param\":\"\","
              "\"payment_intent\":{\"id\":\"pi_1\"}");
    const struct http_answer answer = {
        .outcome = HTTP_ANSWERED,
        .status = 402,
        .body = (const uint8_t *)body,
        .body_len = sizeof body - 1,
    };
    struct payment_error error;
    struct status status;

    (void)state;
    stripe_error_read(&stub.cx, true, &answer, NULL, &error);
    assert_string_equal(error.message, "Stripe says no.");
    status = stripe_error_status(&stub.cx, &error);
    assert_string_equal(pair_of(status, "payment_code"), "card_declined");
    assert_string_equal(pair_of(status, "decline_code"), "insufficient_funds");
    assert_string_equal(pair_of(status, "advice_code"), "try_again_later");
    assert_string_equal(pair_of(status, "payment_intent"), "pi_1");
    assert_string_equal(status_message(status), "the payment was declined");
    assert_int_equal(status.error->pair_count, 4);
}

static void an_idempotency_error_is_told_by_its_type(void **state)
{
    static const char body[] = ERROR("\"type\":\"idempotency_error\",\"message\":\"Stripe\"");
    const struct http_answer answer = {
        .outcome = HTTP_ANSWERED,
        .status = 400,
        .body = (const uint8_t *)body,
        .body_len = sizeof body - 1,
    };
    struct payment_error error;

    (void)state;
    stripe_error_read(&stub.cx, true, &answer, NULL, &error);
    assert_string_equal(
        pair_of(stripe_error_status(&stub.cx, &error), "payment_code"), "idempotency_error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STUB(each_answer_has_one_meaning),
        WITH_STUB(a_decline_keeps_its_codes_and_not_its_words),
        WITH_STUB(an_idempotency_error_is_told_by_its_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
