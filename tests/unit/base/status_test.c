#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static void a_failure_carries_code_reason_and_text(void **state)
{
    const struct status status =
        status_fail(*state, REASON_CUSTOMER_NOT_FOUND, "customer \"%s\" does not exist", "cus_1");

    assert_int_equal(status.code, CODE_NOT_FOUND);
    assert_int_equal(status_reason(status), REASON_CUSTOMER_NOT_FOUND);
    assert_string_equal(status_message(status), "customer \"cus_1\" does not exist");
}

static void success_has_no_reason_and_no_text(void **state)
{
    const struct status status = STATUS_OK;

    assert_int_equal(status_reason(status), REASON_NONE);
    assert_string_equal(status_message(status), "");
    assert_null(status_pair(*state, status, "key", "value").error);
    assert_null(status_violation(*state, status, "field", "text").error);
    assert_null(status_retry(status, 10).error);
    status_ignore(*state, status, "nothing happened");
}

static void a_bare_reason_speaks_with_its_own_text(void **state)
{
    const struct status status = status_of(*state, REASON_SERVER_OVERLOADED);

    assert_int_equal(status.code, CODE_RESOURCE_EXHAUSTED);
    assert_string_equal(status_message(status), "the server has too much to do");
}

static void details_are_added_up_to_their_maximum(void **state)
{
    char key[8] = "a";
    struct status status = status_of(*state, REASON_PAYMENT_DECLINED);

    for (size_t i = 0; i < ERROR_PAIRS_MAX + 3; i++) {
        key[0] = (char)('a' + i);
        status = status_pair(*state, status, key, "value");
    }
    for (size_t i = 0; i < ERROR_VIOLATIONS_MAX + 3; i++) {
        status = status_violation(*state, status, "field", "is wrong");
    }
    status = status_retry(status, 1500);
    assert_int_equal(status.error->pair_count, ERROR_PAIRS_MAX);
    assert_string_equal(status.error->pairs[0].key, "a");
    assert_string_equal(status.error->pairs[ERROR_PAIRS_MAX - 1].key, "h");
    assert_string_equal(status.error->pairs[0].value, "value");
    assert_int_equal(status.error->violation_count, ERROR_VIOLATIONS_MAX);
    assert_int_equal(status.error->retry_ms, 1500);
}

static void a_bad_field_is_one_violation_and_names_the_field(void **state)
{
    const struct status status = status_field(*state, "quantity", "must be at most %d", 100);

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_int_equal(status_reason(status), REASON_FIELD_INVALID);
    assert_string_equal(status_message(status), "quantity: must be at most 100");
    assert_int_equal(status.error->violation_count, 1);
    assert_string_equal(status.error->violations[0].field, "quantity");
    assert_string_equal(status.error->violations[0].description, "must be at most 100");
}

static void without_memory_the_failure_is_the_static_one(void **state)
{
    struct ctx *cx = *state;

    for (int way = 0; way < 3; way++) {
        struct status status;

        arena_release(cx->arena);
        arena_init(cx->arena, NULL, 0, way == 0 ? 0 : FIXTURE_CAP_BYTES);
        heap_fail_after(way == 0 ? -1 : 0);
        status = way == 2 ? status_field(cx, "name", "is missing")
                          : status_fail(cx, REASON_CUSTOMER_NOT_FOUND, "text");
        status = status_pair(cx, status, "key", "value");
        status = status_violation(cx, status, "field", "text");
        status = status_retry(status, 10);
        heap_fail_after(-1);
        assert_int_equal(status.code, CODE_RESOURCE_EXHAUSTED);
        assert_int_equal(status_reason(status), REASON_REQUEST_TOO_COSTLY);
        assert_int_equal(status.error->pair_count, 0);
        assert_int_equal(status.error->violation_count, 0);
        assert_int_equal(status.error->retry_ms, 0);
    }
}

static void a_detail_without_memory_is_left_out(void **state)
{
    struct ctx *cx = *state;
    struct status status = status_of(cx, REASON_CUSTOMER_NOT_FOUND);

    assert_null(arena_try_alloc(cx->arena, 2 * FIXTURE_CAP_BYTES));
    status = status_pair(cx, status, "key", "value");
    assert_int_equal(status.code, CODE_NOT_FOUND);
    assert_int_equal(status.error->pair_count, 0);
}

static struct status pass_on(struct status status)
{
    TRY(status);
    return (struct status){CODE_UNKNOWN, NULL};
}

static void try_returns_what_failed_and_goes_on_otherwise(void **state)
{
    const struct status status = status_of(*state, REASON_CANCELLED);

    assert_ptr_equal(pass_on(status).error, status.error);
    assert_int_equal(pass_on(status).code, CODE_CANCELLED);
    assert_int_equal(pass_on(STATUS_OK).code, CODE_UNKNOWN);
}

static void every_reason_has_a_name_a_code_and_a_text_for_people(void **state)
{
    (void)state;
    for (enum reason reason = REASON_NONE + 1; reason < REASON_COUNT; reason++) {
        const char *text = reason_text(reason);

        assert_true(strlen(reason_name(reason)) > 3);
        assert_int_not_equal(reason_code(reason), CODE_OK);
        assert_int_not_equal(reason_code(reason), CODE_UNKNOWN);
        assert_true(strlen(text) > 10);
        assert_true(text[strlen(text) - 1] != '.');
    }
    assert_string_equal(reason_name(REASON_ETAG_MISMATCH), "ETAG_MISMATCH");
}

static void codes_have_the_names_and_numbers_of_grpc(void **state)
{
    (void)state;
    assert_string_equal(code_name(CODE_OK), "OK");
    assert_string_equal(code_name(CODE_DATA_LOSS), "DATA_LOSS");
    assert_string_equal(code_name((enum code)16), "UNAUTHENTICATED");
    assert_string_equal(code_name((enum code)99), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_failure_carries_code_reason_and_text),
        FIXTURE_TEST(success_has_no_reason_and_no_text),
        FIXTURE_TEST(a_bare_reason_speaks_with_its_own_text),
        FIXTURE_TEST(details_are_added_up_to_their_maximum),
        FIXTURE_TEST(a_bad_field_is_one_violation_and_names_the_field),
        FIXTURE_TEST(without_memory_the_failure_is_the_static_one),
        FIXTURE_TEST(a_detail_without_memory_is_left_out),
        FIXTURE_TEST(try_returns_what_failed_and_goes_on_otherwise),
        cmocka_unit_test(every_reason_has_a_name_a_code_and_a_text_for_people),
        cmocka_unit_test(codes_have_the_names_and_numbers_of_grpc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
