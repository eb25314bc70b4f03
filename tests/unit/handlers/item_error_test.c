#include "handlers/item_error.h"

#include <billingos/v1/error_reason.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/heap.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)

struct fixture {
    struct ctx cx; /* first: the state is read as one */
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *fixture = heap_new(sizeof *fixture);

    arena_init(&fixture->arena, NULL, 0, ARENA_BYTES_MAX);
    ctx_init(&fixture->cx, &fixture->arena, "test");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    arena_release(&fixture->arena);
    heap_free(fixture);
    return 0;
}

static const char *value_of(const Billingos__V1__ItemError *error, const char *key)
{
    for (size_t i = 0; i < error->n_metadata; i++) {
        if (strcmp(error->metadata[i]->key, key) == 0) {
            return error->metadata[i]->value;
        }
    }
    return NULL;
}

static void what_is_ours_alone_is_not_told(void **cx)
{
    struct status status = status_pair(
        *cx, status_fail(*cx, REASON_FIELD_INVALID, "not accepted"), "sqlstate", "22003");
    const Billingos__V1__ItemError *error = item_error_pb(*cx, status);

    assert_int_equal(error->n_metadata, 0);
    status = status_fail(*cx, REASON_INTERNAL, "statement \"usage_add\" was refused");
    error = item_error_pb(*cx, status);
    assert_string_equal(error->message, reason_text(REASON_INTERNAL));
}

static void a_failure_keeps_its_code_reason_and_pairs(void **cx)
{
    const struct status status = status_pair(
        *cx,
        status_fail(*cx, REASON_METER_NOT_FOUND, "meter \"%s\" does not exist", "tokens"),
        "meter_key",
        "tokens");
    const Billingos__V1__ItemError *error = item_error_pb(*cx, status);

    assert_int_equal(error->code, CODE_NOT_FOUND);
    assert_int_equal(error->reason, BILLINGOS__V1__ERROR_REASON__ERROR_REASON_METER_NOT_FOUND);
    assert_string_equal(error->message, "meter \"tokens\" does not exist");
    assert_int_equal(error->n_metadata, 1);
    assert_string_equal(value_of(error, "meter_key"), "tokens");
    assert_null(error->retry_delay);
}

static void field_violations_become_pairs(void **cx)
{
    const struct status status = status_violation(
        *cx, status_field(*cx, "event_id", "is required"), "source", "is too long");
    const Billingos__V1__ItemError *error = item_error_pb(*cx, status);

    assert_int_equal(error->reason, BILLINGOS__V1__ERROR_REASON__ERROR_REASON_FIELD_INVALID);
    assert_string_equal(value_of(error, "event_id"), "is required");
    assert_string_equal(value_of(error, "source"), "is too long");
}

static void a_delay_says_that_a_retry_can_help(void **cx)
{
    const Billingos__V1__ItemError *error =
        item_error_pb(*cx, status_retry(status_of(*cx, REASON_DATABASE_UNAVAILABLE), 1500));

    assert_int_equal(error->code, CODE_UNAVAILABLE);
    assert_int_equal(error->retry_delay->seconds, 1);
    assert_int_equal(error->retry_delay->nanos, 500000000);
}

static void everything_that_fits_into_a_failure_fits_into_the_message(void **cx)
{
    struct status status = status_fail(*cx, REASON_FIELD_INVALID, "all");
    const Billingos__V1__ItemError *error = NULL;

    for (int i = 0; i < 2 * ERROR_VIOLATIONS_MAX; i++) {
        char name[8];

        snprintf(name, sizeof name, "f%d", i);
        status = status_violation(*cx, status, name, "wrong");
        snprintf(name, sizeof name, "p%d", i);
        status = status_pair(*cx, status, name, "value");
    }
    error = item_error_pb(*cx, status);
    assert_int_equal(error->n_metadata, ERROR_PAIRS_MAX + ERROR_VIOLATIONS_MAX);
    assert_true(billingos__v1__item_error__get_packed_size(error) > 0);
}

/* A name in reasons.def that the API does not know would be sent as UNSPECIFIED. */
static void every_reason_that_leaves_the_process_has_a_number(void **cx)
{
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const enum reason reason = (enum reason)i;
        const struct status status = status_of(*cx, reason);

        if (reason == REASON_WOULD_BLOCK) {
            continue;
        }
        if (item_error_pb(*cx, status)->reason ==
            BILLINGOS__V1__ERROR_REASON__ERROR_REASON_UNSPECIFIED) {
            fail_msg("%s is not in error_reason.proto", reason_name(reason));
        }
    }
}

/* What is made of memory that is not there means nothing, and whoever owns the arena is told. */
static void without_memory_nothing_breaks(void **cx)
{
    struct ctx *context = *cx;
    struct status status = status_fail(context, REASON_FIELD_INVALID, "all");

    for (int i = 0; i < ERROR_VIOLATIONS_MAX; i++) {
        status = status_violation(context, status, "field", "wrong");
    }
    while (arena_try_alloc(context->arena, 64) != NULL) {
    }
    assert_non_null(item_error_pb(context, status));
    assert_non_null(item_error_pb(context, status_of(context, REASON_METER_NOT_FOUND)));
    assert_true(arena_failed(context->arena));
}

#define ERROR_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ERROR_TEST(a_failure_keeps_its_code_reason_and_pairs),
        ERROR_TEST(what_is_ours_alone_is_not_told),
        ERROR_TEST(field_violations_become_pairs),
        ERROR_TEST(a_delay_says_that_a_retry_can_help),
        ERROR_TEST(everything_that_fits_into_a_failure_fits_into_the_message),
        ERROR_TEST(every_reason_that_leaves_the_process_has_a_number),
        ERROR_TEST(without_memory_nothing_breaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
