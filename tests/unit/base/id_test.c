#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fixture.h"

#define NOW_US INT64_C(1795527742000123)

static void an_id_reads_back_from_its_text(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        const enum id_kind kind = (enum id_kind)(i % (ID_DECISION + 1));
        const struct id id = id_new(NOW_US + i);
        struct id parsed = {0};
        char text[ID_TEXT_SIZE];

        id_format(kind, &id, text);
        assert_int_equal(strlen(text), strlen(id_prefix(kind)) + 27);
        assert_true(id_parse(kind, text, &parsed));
        assert_true(id_equal(&id, &parsed));
    }
}

static void the_text_is_crockford_base32_of_the_bytes(void **state)
{
    static const struct {
        struct id id;
        const char *text;
    } cases[] = {
        {{{0}}, "cus_00000000000000000000000000"},
        {{{[15] = 1}}, "cus_00000000000000000000000001"},
        {{{[15] = 32}}, "cus_00000000000000000000000010"},
        {{{0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff,
           0xff}},
         "cus_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[ID_TEXT_SIZE];
        struct id parsed;

        id_format(ID_CUSTOMER, &cases[i].id, text);
        assert_string_equal(text, cases[i].text);
        assert_true(id_parse(ID_CUSTOMER, cases[i].text, &parsed));
        assert_true(id_equal(&parsed, &cases[i].id));
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "cus",
        "cus_",
        "cus_0000000000000000000000000",   /* 25 */
        "cus_000000000000000000000000000", /* 27 */
        "cus_80000000000000000000000000",  /* 130 bits */
        "cus_0000000000000000000000000U",  /* no letter of Crockford's */
        "cus_0000000000000000000000000a",  /* lower case */
        "cus_0000000000000000000000000O",  /* not written by us */
        "sub_00000000000000000000000000",
        "CUS_00000000000000000000000000",
        "cus-00000000000000000000000000",
        " cus_00000000000000000000000000",
        "cus_00000000000000000000000000 ",
        "cus_00000000000000\xc3\xa9ZZZZZZZZZZ",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct id id = {{1, 2, 3}};

        assert_false(id_parse(ID_CUSTOMER, cases[i], &id));
        assert_int_equal(id.bytes[2], 3);
    }
}

static void later_ids_sort_behind_earlier_ones_as_bytes_and_as_text(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 100; i++) {
        const struct id earlier = id_new(NOW_US + i * 1000);
        const struct id later = id_new(NOW_US + (i + 1) * 1000);
        char earlier_text[ID_TEXT_SIZE];
        char later_text[ID_TEXT_SIZE];

        id_format(ID_EVENT, &earlier, earlier_text);
        id_format(ID_EVENT, &later, later_text);
        assert_true(memcmp(earlier.bytes, later.bytes, sizeof earlier.bytes) < 0);
        assert_true(strcmp(earlier_text, later_text) < 0);
    }
}

static void the_first_id_of_a_moment_lies_between_those_before_and_after(void **state)
{
    const struct id first = id_first(NOW_US);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        const struct id before = id_new(NOW_US - 1000);
        const struct id same = id_new(NOW_US);

        assert_true(memcmp(before.bytes, first.bytes, sizeof first.bytes) < 0);
        assert_true(memcmp(first.bytes, same.bytes, sizeof first.bytes) < 0);
    }
}

static void an_id_is_a_uuid_of_version_7(void **state)
{
    const struct id id = id_new(NOW_US);
    uint64_t ms = 0;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        ms = ms << 8 | id.bytes[i];
    }
    assert_int_equal(ms, NOW_US / 1000);
    assert_int_equal(id.bytes[6] >> 4, 7);
    assert_int_equal(id.bytes[8] >> 6, 2);
}

static void two_ids_of_one_moment_differ(void **state)
{
    const struct id a = id_new(NOW_US);
    const struct id b = id_new(NOW_US);

    (void)state;
    assert_false(id_equal(&a, &b));
}

static void a_derived_id_depends_on_its_input_alone(void **state)
{
    const struct id a = id_derived("org/method/request", 18);
    const struct id b = id_derived("org/method/request", 18);
    const struct id c = id_derived("org/method/requesT", 18);

    (void)state;
    assert_true(id_equal(&a, &b));
    assert_false(id_equal(&a, &c));
}

static void the_zero_id_has_no_text(void **state)
{
    const struct ctx *cx = *state;
    const struct id zero = {0};
    const struct id one = {{[15] = 1}};

    assert_true(id_is_zero(&zero));
    assert_string_equal(id_text(cx->arena, ID_CUSTOMER, &zero), "");
    assert_string_equal(
        id_text(cx->arena, ID_SUBSCRIPTION_ITEM, &one), "si_00000000000000000000000001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_reads_back_from_its_text),
        cmocka_unit_test(the_text_is_crockford_base32_of_the_bytes),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(later_ids_sort_behind_earlier_ones_as_bytes_and_as_text),
        cmocka_unit_test(the_first_id_of_a_moment_lies_between_those_before_and_after),
        cmocka_unit_test(an_id_is_a_uuid_of_version_7),
        cmocka_unit_test(two_ids_of_one_moment_differ),
        cmocka_unit_test(a_derived_id_depends_on_its_input_alone),
        FIXTURE_TEST(the_zero_id_has_no_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
