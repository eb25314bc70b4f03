#include "domain/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void every_form_is_read_back(void **state)
{
    static const char *const starts[SECRET_FORM_COUNT] = {
        "bos_sk_live_",
        "bos_sk_test_",
        "bos_pk_live_",
        "bos_pk_test_",
        "bos_rk_live_",
        "bos_rk_test_",
        "bos_bt_",
        "bos_it_",
    };
    uint8_t random[SECRET_RANDOM_BYTES];
    char text[SECRET_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof random; i++) {
        random[i] = (uint8_t)(i * 37 + 11);
    }
    for (size_t i = 0; i < SECRET_FORM_COUNT; i++) {
        enum secret_form form = SECRET_FORM_COUNT;

        secret_format((enum secret_form)i, random, text);
        assert_int_equal(strlen(text), strlen(starts[i]) + 43 + 6);
        assert_memory_equal(text, starts[i], strlen(starts[i]));
        assert_true(secret_parse(str_of(text), &form));
        assert_int_equal(form, i);
    }
}

/* Computed by another program: base 62 of 2^256 - 1, and of zlib's CRC-32 of the text before. */
static void the_ends_of_the_range_are_written_in_base_62(void **state)
{
    uint8_t random[SECRET_RANDOM_BYTES] = {0};
    char text[SECRET_TEXT_SIZE];

    (void)state;
    secret_format(SECRET_BOOTSTRAP_TOKEN, random, text);
    assert_memory_equal(text, "bos_bt_0000000000000000000000000000000000000000000", 7 + 43);
    memset(random, 0xff, sizeof random);
    secret_format(SECRET_BOOTSTRAP_TOKEN, random, text);
    assert_string_equal(text, "bos_bt_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp10gJkb3");
}

static void any_changed_letter_is_refused(void **state)
{
    const uint8_t random[SECRET_RANDOM_BYTES] = {1, 2, 3, 4, 5};
    char text[SECRET_TEXT_SIZE];
    enum secret_form form = SECRET_FORM_COUNT;

    (void)state;
    secret_format(SECRET_TEST_SECRET_KEY, random, text);
    for (size_t i = 0; i < strlen(text); i++) {
        const char right = text[i];

        text[i] = right == 'x' ? 'y' : 'x';
        assert_false(secret_parse(str_of(text), &form));
        text[i] = right;
    }
    assert_true(secret_parse(str_of(text), &form));
}

static void other_shapes_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "bos_sk_test_",
        "bos_sk_test_short",
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "bos_zz_test_0000000000000000000000000000000000000000000000000",
        "bos_sk_test_00000000000000000000000000000000000000000000000000",
        "bos_sk_test_000000000000000000000000000000000000000000000000\xc3",
        "bos_sk_test_0000000000000000000000 0000000000000000000000000",
    };
    enum secret_form form = SECRET_FORM_COUNT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_false(secret_parse(str_of(texts[i]), &form));
    }
}

static void a_hint_shows_the_prefix_and_eight_letters(void **state)
{
    const uint8_t random[SECRET_RANDOM_BYTES] = {9};
    char text[SECRET_TEXT_SIZE];
    char start[SECRET_TEXT_SIZE];
    char end[SECRET_HINT_SIZE];

    (void)state;
    secret_format(SECRET_LIVE_PUBLISHABLE_KEY, random, text);
    secret_hint(text, start, end);
    assert_int_equal(strlen(start), strlen("bos_pk_live_") + 4);
    assert_memory_equal(start, text, strlen(start));
    assert_int_equal(strlen(end), 4);
    assert_string_equal(end, text + strlen(text) - 4);
}

static void the_secret_is_taken_out_of_the_metadata(void **state)
{
    struct str secret = {NULL, 0};

    (void)state;
    assert_true(secret_from_bearer("Bearer abc", &secret));
    assert_true(str_equal(secret, STR("abc")));
    assert_true(secret_from_bearer("bearer abc", &secret));
    assert_false(secret_from_bearer("", &secret));
    assert_false(secret_from_bearer("Bearer ", &secret));
    assert_false(secret_from_bearer("Basic abc", &secret));
    assert_false(secret_from_bearer("Bearer", &secret));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read_back),
        cmocka_unit_test(the_ends_of_the_range_are_written_in_base_62),
        cmocka_unit_test(any_changed_letter_is_refused),
        cmocka_unit_test(other_shapes_are_refused),
        cmocka_unit_test(a_hint_shows_the_prefix_and_eight_letters),
        cmocka_unit_test(the_secret_is_taken_out_of_the_metadata),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
