#include "domain/field_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static void all_fields_that_are_wrong_are_named_together(void **state)
{
    struct ctx *cx = *state;
    struct status result = STATUS_OK;

    field_note(cx, &result, STATUS_OK);
    assert_int_equal(result.code, CODE_OK);
    field_note(cx, &result, status_field(cx, "a", "is wrong"));
    field_note(cx, &result, STATUS_OK);
    field_note(cx, &result, status_field(cx, "b", "is wrong too"));
    assert_int_equal(status_reason(result), REASON_FIELD_INVALID);
    assert_int_equal(result.error->violation_count, 2);
    assert_string_equal(result.error->violations[1].field, "b");
}

static void another_reason_wins_over_wrong_fields(void **state)
{
    struct ctx *cx = *state;
    struct status result = status_field(cx, "a", "is wrong");

    field_note(cx, &result, status_of(cx, REASON_CURRENCY_UNKNOWN));
    field_note(cx, &result, status_field(cx, "b", "is wrong"));
    assert_int_equal(status_reason(result), REASON_CURRENCY_UNKNOWN);
}

static void texts_are_counted_in_characters(void **state)
{
    struct ctx *cx = *state;

    assert_int_equal(field_check_text(cx, "f", "éé", 1, 2).code, CODE_OK);
    assert_int_equal(field_check_text(cx, "f", "ééé", 1, 2).code, CODE_INVALID_ARGUMENT);
    assert_int_equal(field_check_text(cx, "f", "", 1, 2).code, CODE_INVALID_ARGUMENT);
    assert_int_equal(field_check_text(cx, "f", "", 0, 2).code, CODE_OK);
}

static void keys_are_lower_case_and_start_with_a_letter_or_digit(void **state)
{
    static const char *const good[] = {"a", "0", "api_calls", "a.b-c_9"};
    static const char *const bad[] = {"", "A", "_a", "-a", ".a", "a b", "é", "a/b"};
    struct ctx *cx = *state;
    char longest[66];

    memset(longest, 'a', sizeof longest);
    longest[64] = '\0';
    assert_int_equal(field_check_key(cx, "f", longest).code, CODE_OK);
    longest[64] = 'a';
    longest[65] = '\0';
    assert_int_equal(field_check_key(cx, "f", longest).code, CODE_INVALID_ARGUMENT);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(field_check_key(cx, "f", good[i]).code, CODE_OK);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(field_check_key(cx, "f", bad[i]).code, CODE_INVALID_ARGUMENT);
    }
}

static void lists_have_a_length_and_no_entry_twice(void **state)
{
    static const char *const texts[] = {"a", "b", "a"};
    struct ctx *cx = *state;
    struct status status;

    assert_int_equal(field_check_texts(cx, "f", texts, 2, 2, 1).code, CODE_OK);
    assert_int_equal(field_check_texts(cx, "f", texts, 2, 1, 1).code, CODE_INVALID_ARGUMENT);
    status = field_check_texts(cx, "f", texts, 3, 3, 1);
    assert_string_equal(status.error->violations[0].field, "f[2]");
}

static void an_etag_is_the_version_or_nothing(void **state)
{
    struct ctx *cx = *state;
    struct status status;

    assert_int_equal(field_check_etag(cx, "", 3).code, CODE_OK);
    assert_int_equal(field_check_etag(cx, "3", 3).code, CODE_OK);
    status = field_check_etag(cx, "03", 3);
    assert_int_equal(status_reason(status), REASON_ETAG_MISMATCH);
    assert_string_equal(status.error->pairs[1].value, "3");
}

static void paths_are_put_together(void **state)
{
    struct ctx *cx = *state;

    assert_string_equal(field_path(cx, "plan", "name"), "plan.name");
    assert_string_equal(field_path(cx, "", "name"), "name");
    assert_string_equal(field_path(cx, field_item(cx, "prices", 2), "model"), "prices[2].model");
}

static void ranges_say_what_is_allowed(void **state)
{
    struct ctx *cx = *state;

    assert_int_equal(field_check_range(cx, "f", 5, 5, 5).code, CODE_OK);
    assert_int_equal(field_check_range(cx, "f", INT64_MAX, 0, INT64_MAX).code, CODE_OK);
    assert_string_equal(
        field_check_range(cx, "f", -1, 0, INT64_MAX).error->violations[0].description,
        "is -1, it must be 0 or more");
    assert_string_equal(
        field_check_range(cx, "f", 9, 1, 8).error->violations[0].description,
        "is 9, it must be 1 to 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(all_fields_that_are_wrong_are_named_together),
        FIXTURE_TEST(another_reason_wins_over_wrong_fields),
        FIXTURE_TEST(texts_are_counted_in_characters),
        FIXTURE_TEST(keys_are_lower_case_and_start_with_a_letter_or_digit),
        FIXTURE_TEST(lists_have_a_length_and_no_entry_twice),
        FIXTURE_TEST(an_etag_is_the_version_or_nothing),
        FIXTURE_TEST(paths_are_put_together),
        FIXTURE_TEST(ranges_say_what_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
