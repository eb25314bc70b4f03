#include "base/str.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fixture.h"

static void utf8_is_told_from_other_bytes(void **state)
{
    static const struct {
        struct str text;
        bool valid;
    } cases[] = {
        {{NULL, 0}, true},
        {STR("plain text of more than eight bytes"), true},
        {STR("\x7f"), true},
        {STR("\xc2\x80"), true},
        {STR("\xe0\xa0\x80"), true},
        {STR("\xed\x9f\xbf"), true},
        {STR("\xef\xbf\xbf"), true},
        {STR("\xf0\x90\x80\x80"), true},
        {STR("\xf4\x8f\xbf\xbf"), true},
        {STR("gr\xc3\xbc\xc3\x9f Gott, \xe2\x82\xac 5 und \xf0\x9f\x98\x80"), true},
        {STR("\0"), false},
        {STR("12345678\0 12345678"), false},
        {STR("1234567\0"), false},
        {STR("\x80"), false},
        {STR("\xc1\xbf"), false},         /* overlong */
        {STR("\xe0\x9f\xbf"), false},     /* overlong */
        {STR("\xf0\x8f\xbf\xbf"), false}, /* overlong */
        {STR("\xed\xa0\x80"), false},     /* surrogate */
        {STR("\xf4\x90\x80\x80"), false}, /* U+110000 */
        {STR("\xf5\x80\x80\x80"), false},
        {STR("\xff"), false},
        {STR("\xc3"), false}, /* cut off */
        {STR("\xe2\x82"), false},
        {STR("\xf0\x9f\x98"), false},
        {STR("\xe2\x82\x41"), false},
        {STR("\xc3\xc3"), false},
        {STR("12345678\xff"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(str_is_utf8(cases[i].text), cases[i].valid);
    }
}

static void a_plain_byte_is_valid_at_every_place_and_a_bad_one_at_none(void **state)
{
    char text[24];

    (void)state;
    for (size_t at = 0; at < sizeof text; at++) {
        for (int c = 0; c < 256; c++) {
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            assert_int_equal(str_is_utf8((struct str){text, sizeof text}), c > 0 && c < 0x80);
        }
    }
}

static void integers_fill_the_whole_slice_and_fit(void **state)
{
    static const struct {
        struct str text;
        bool valid;
        long long value;
    } cases[] = {
        {STR("0"), true, 0},
        {STR("-0"), true, 0},
        {STR("42"), true, 42},
        {STR("-42"), true, -42},
        {STR("9223372036854775807"), true, LLONG_MAX},
        {STR("-9223372036854775808"), true, LLONG_MIN},
        {STR("9223372036854775808"), false, 7},
        {STR("-9223372036854775809"), false, 7},
        {STR("99999999999999999999999"), false, 7},
        {STR(""), false, 7},
        {STR("-"), false, 7},
        {STR("+1"), false, 7},
        {STR(" 1"), false, 7},
        {STR("1 "), false, 7},
        {STR("1.0"), false, 7},
        {STR("0x10"), false, 7},
        {STR("--1"), false, 7},
        {STR("1\0"), false, 7},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        long long value = 7;

        assert_int_equal(str_to_i64(cases[i].text, &value), cases[i].valid);
        assert_int_equal(value, cases[i].value);
    }
}

static void distances_count_single_letter_edits_up_to_the_limit(void **state)
{
    static const struct {
        struct str a;
        struct str b;
        size_t limit;
        size_t distance;
    } cases[] = {
        {STR(""), STR(""), 3, 0},
        {STR("serve"), STR("serve"), 0, 0},
        {STR("serv"), STR("serve"), 3, 1},
        {STR("sevre"), STR("serve"), 3, 2},
        {STR("kitten"), STR("sitting"), 3, 3},
        {STR("kitten"), STR("sitting"), 2, 3},
        {STR("migrate"), STR("serve"), 2, 3},
        {STR(""), STR("abc"), 3, 3},
        {STR("abc"), STR(""), 2, 3},
        {STR("a"), STR("abcdefgh"), 2, 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(str_distance(cases[i].a, cases[i].b, cases[i].limit), cases[i].distance);
        assert_int_equal(str_distance(cases[i].b, cases[i].a, cases[i].limit), cases[i].distance);
    }
}

static void long_texts_are_equal_or_far_apart(void **state)
{
    char a[200];
    char b[200];

    (void)state;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    assert_int_equal(str_distance((struct str){a, 200}, (struct str){b, 200}, 2), 0);
    b[0] = 'b';
    assert_int_equal(str_distance((struct str){a, 200}, (struct str){b, 200}, 2), 3);
    assert_int_equal(str_distance((struct str){a, 64}, (struct str){b, 64}, 2), 1);
}

static void slices_compare_by_content(void **state)
{
    (void)state;
    assert_true(str_equal(STR("abc"), str_of("abc")));
    assert_true(str_equal(STR(""), str_of(NULL)));
    assert_false(str_equal(STR("abc"), STR("abd")));
    assert_false(str_equal(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("sub_1"), STR("sub_")));
    assert_false(str_starts(STR("sub"), STR("sub_")));
}

static void a_slice_becomes_a_terminated_text(void **state)
{
    const struct ctx *cx = *state;

    assert_string_equal(str_text(cx->arena, (struct str){"abcdef", 3}), "abc");
    assert_string_equal(str_text(cx->arena, (struct str){NULL, 0}), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(a_plain_byte_is_valid_at_every_place_and_a_bad_one_at_none),
        cmocka_unit_test(integers_fill_the_whole_slice_and_fit),
        cmocka_unit_test(distances_count_single_letter_edits_up_to_the_limit),
        cmocka_unit_test(long_texts_are_equal_or_far_apart),
        cmocka_unit_test(slices_compare_by_content),
        FIXTURE_TEST(a_slice_becomes_a_terminated_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
