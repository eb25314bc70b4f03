#include "rpc/rpc_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "rpc_fixture.h"

/* Unpacks one detail; type is the last part of its URL. NULL when it is not there. */
static void *
detail(const Google__Rpc__Status *status, const char *url, const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < status->n_details; i++) {
        if (strcmp(status->details[i]->type_url, url) == 0) {
            return protobuf_c_message_unpack(
                type, NULL, status->details[i]->value.len, status->details[i]->value.data);
        }
    }
    return NULL;
}

static Google__Rpc__Status *decode(struct str packed)
{
    return google__rpc__status__unpack(NULL, packed.len, (const uint8_t *)packed.ptr);
}

static void everything_that_is_known_is_said(void **state)
{
    struct ctx *cx = fixture_cx(state);
    struct status failure = status_field(cx, "customer.email", "is empty");
    Google__Rpc__Status *status = NULL;
    Google__Rpc__ErrorInfo *info = NULL;
    Google__Rpc__BadRequest *bad = NULL;
    Google__Rpc__RetryInfo *retry = NULL;
    Google__Rpc__RequestInfo *request = NULL;

    failure = status_retry(status_pair(cx, failure, "field", "customer.email"), 2500);
    status = decode(rpc_status_details(cx->arena, failure, "req_1"));
    assert_non_null(status);
    assert_int_equal(status->code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status->message, "customer.email: is empty");
    assert_int_equal(status->n_details, 4);
    info = detail(
        status, "type.googleapis.com/google.rpc.ErrorInfo", &google__rpc__error_info__descriptor);
    assert_string_equal(info->reason, "FIELD_INVALID");
    assert_string_equal(info->domain, "billingos.dev");
    assert_int_equal(info->n_metadata, 1);
    assert_string_equal(info->metadata[0]->value, "customer.email");
    bad = detail(
        status, "type.googleapis.com/google.rpc.BadRequest", &google__rpc__bad_request__descriptor);
    assert_int_equal(bad->n_field_violations, 1);
    assert_string_equal(bad->field_violations[0]->description, "is empty");
    retry = detail(
        status, "type.googleapis.com/google.rpc.RetryInfo", &google__rpc__retry_info__descriptor);
    assert_int_equal(retry->retry_delay->seconds, 2);
    assert_int_equal(retry->retry_delay->nanos, 500000000);
    request = detail(
        status,
        "type.googleapis.com/google.rpc.RequestInfo",
        &google__rpc__request_info__descriptor);
    assert_string_equal(request->request_id, "req_1");
    google__rpc__error_info__free_unpacked(info, NULL);
    google__rpc__bad_request__free_unpacked(bad, NULL);
    google__rpc__retry_info__free_unpacked(retry, NULL);
    google__rpc__request_info__free_unpacked(request, NULL);
    google__rpc__status__free_unpacked(status, NULL);
}

static void success_has_no_details(void **state)
{
    assert_int_equal(rpc_status_details(fixture_cx(state)->arena, STATUS_OK, "req_1").len, 0);
    assert_int_equal(rpc_status_text(STATUS_OK).len, 0);
}

static void what_is_too_long_is_left_out_step_by_step(void **state)
{
    struct ctx *cx = fixture_cx(state);
    char *big = arena_alloc(cx->arena, 4001);
    struct status failure = status_fail(cx, REASON_FIELD_INVALID, "bad");
    Google__Rpc__Status *status = NULL;

    memset(big, 'x', 4000);
    failure = status_violation(cx, status_pair(cx, failure, "k", "v"), "f", big);
    status = decode(rpc_status_details(cx->arena, failure, ""));
    assert_int_equal(status->n_details, 1); /* without the violations */
    assert_true(status->details[0]->value.len > 34);
    google__rpc__status__free_unpacked(status, NULL);
    failure = status_pair(cx, failure, "big", big);
    status = decode(rpc_status_details(cx->arena, failure, ""));
    assert_int_equal(status->n_details, 1); /* without the pairs */
    assert_true(status->details[0]->value.len < 34);
    google__rpc__status__free_unpacked(status, NULL);
}

static void long_messages_are_cut_between_characters(void **state)
{
    struct ctx *cx = fixture_cx(state);
    char *big = arena_alloc(cx->arena, 2001);

    for (size_t i = 0; i < 2000; i += 2) {
        big[i] = (char)0xc3;
        big[i + 1] = (char)0xa9;
    }
    assert_int_equal(rpc_status_text(status_fail(cx, REASON_INTERNAL, "%s", big)).len, 512);
    assert_int_equal(rpc_status_text(status_fail(cx, REASON_INTERNAL, "x%s", big)).len, 511);
    assert_int_equal(rpc_status_text(status_fail(cx, REASON_INTERNAL, "%s", "short")).len, 5);
}

static void internal_failures_keep_their_text_to_us(void **state)
{
    struct ctx *cx = fixture_cx(state);
    struct status status;

    cx->request_id = "req_1";
    status = rpc_status_public(cx, status_fail(cx, REASON_INTERNAL, "table \"x\" is gone"));
    assert_int_equal(status.code, CODE_INTERNAL);
    assert_string_equal(status_message(status), reason_text(REASON_INTERNAL));
    assert_string_equal(status.error->pairs[0].value, "req_1");
    status = status_fail(cx, REASON_CUSTOMER_NOT_FOUND, "customer \"c\" does not exist");
    assert_ptr_equal(rpc_status_public(cx, status).error, status.error);
}

static void what_the_database_said_stays_here(void **state)
{
    struct ctx *cx = fixture_cx(state);
    struct status status = status_fail(cx, REASON_TRANSACTION_CONFLICT, "another caller");
    struct status shown;

    status = status_pair(cx, status, "sqlstate", "40001");
    status = status_pair(cx, status, "plan_id", "plan_1");
    status = status_retry(status_pair(cx, status, "constraint", "plans_pkey"), 50);
    shown = rpc_status_public(cx, status);
    assert_int_equal(status_reason(shown), REASON_TRANSACTION_CONFLICT);
    assert_int_equal(shown.error->retry_ms, 50);
    assert_int_equal(shown.error->pair_count, 1);
    assert_string_equal(shown.error->pairs[0].key, "plan_id");
    assert_int_equal(status.error->pair_count, 3);
}

static void without_memory_there_are_no_details(void **state)
{
    struct ctx *cx = fixture_cx(state);
    const struct status failure = status_field(cx, "a", "b");
    struct arena small;

    for (size_t cap = 16; cap < 256; cap += 16) {
        arena_init(&small, NULL, 0, cap);
        (void)rpc_status_details(&small, failure, "req_1");
        arena_release(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            everything_that_is_known_is_said, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(success_has_no_details, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            what_is_too_long_is_left_out_step_by_step, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            long_messages_are_cut_between_characters, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            internal_failures_keep_their_text_to_us, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            what_the_database_said_stays_here, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(
            without_memory_there_are_no_details, fixture_new, fixture_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
