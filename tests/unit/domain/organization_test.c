#include "domain/organization.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct id some_id = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0xab, 0xcd, 0xef, 0x01}};

static void a_slug_is_made_from_the_name(void **state)
{
    static const struct {
        const char *name;
        const char *slug;
    } cases[] = {
        {"Acme", "acme"},
        {"  Acme, Inc. ", "acme-inc"},
        {"A  --  B", "a-b"},
        {"42 Things", "42-things"},
        {"\xc3\x84\xc3\xb6", "org"},
        {"x", "org"},
        {"!!!", "org"},
        {"a name that is much longer than a slug may be in the end",
         "a-name-that-is-much-longer-than"},
    };
    char slug[ORGANIZATION_SLUG_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        organization_slug_make(cases[i].name, &some_id, 0, slug);
        assert_string_equal(slug, cases[i].slug);
        assert_true(organization_slug_valid(slug));
        organization_slug_make(cases[i].name, &some_id, 1, slug);
        assert_true(organization_slug_valid(slug));
        assert_string_equal(slug + strlen(slug) - 9, "-abcdef01");
    }
}

static void slugs_are_3_to_40_small_letters(void **state)
{
    static const char *const good[] = {
        "abc", "a-b", "123", "abcdefghijklmnopqrstuvwxyz-0123456789-abc"};
    static const char *const bad[] = {
        "",
        "ab",
        "-ab",
        "ab-",
        "Abc",
        "a b",
        "a_b",
        "abcdefghijklmnopqrstuvwxyz-0123456789-abcd",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(organization_slug_valid(good[i]) == (strlen(good[i]) <= 40));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(organization_slug_valid(bad[i]));
    }
}

static void an_origin_is_a_scheme_and_a_host(void **state)
{
    static const char *const good[] = {
        "https://app.example.com", "http://localhost:3000", "https://a:65535"};
    static const char *const bad[] = {
        "",
        "https://",
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://user@app.example.com",
        "https://App.example.com",
        "https://a:",
        "https://a:123456",
        "https://a:8o",
        "ftp://a",
        "*",
        "https://a b",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(organization_origin_valid(good[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(organization_origin_valid(bad[i]));
    }
}

static void a_country_is_two_capitals(void **state)
{
    (void)state;
    assert_true(organization_country_valid("DE"));
    assert_false(organization_country_valid("de"));
    assert_false(organization_country_valid("D"));
    assert_false(organization_country_valid("DEU"));
    assert_false(organization_country_valid(""));
}

static void both_sides_have_one_live_number(void **state)
{
    (void)state;
    assert_int_equal(organization_live_number(2), 2);
    assert_int_equal(organization_live_number(3), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slug_is_made_from_the_name),
        cmocka_unit_test(slugs_are_3_to_40_small_letters),
        cmocka_unit_test(an_origin_is_a_scheme_and_a_host),
        cmocka_unit_test(a_country_is_two_capitals),
        cmocka_unit_test(both_sides_have_one_live_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
