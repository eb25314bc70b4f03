#include "domain/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void texts_are_read_back_and_each_is_one_bit(void **state)
{
    uint64_t all = 0;

    (void)state;
    for (int bit = 0; bit < SCOPE_BIT_COUNT; bit++) {
        const uint64_t scope = UINT64_C(1) << bit;
        uint64_t parsed = 0;

        assert_true(scope_parse(scope_text(scope), &parsed));
        assert_int_equal(parsed, scope);
        assert_int_equal(all & parsed, 0);
        all |= parsed;
    }
    assert_int_equal(all, SCOPES_ALL);
}

static void a_read_scope_and_its_write_scope_are_two(void **state)
{
    uint64_t read = 0;
    uint64_t write = 0;

    (void)state;
    assert_true(scope_parse("customers.read", &read));
    assert_true(scope_parse("customers.write", &write));
    assert_int_equal(read, SCOPE_CUSTOMERS_READ);
    assert_int_equal(write, SCOPE_CUSTOMERS_WRITE);
    assert_int_not_equal(read, write);
}

static void what_is_no_scope_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "customers",
        "customers.",
        "customers.READ",
        " customers.read",
        "customers.read ",
        "customers.read,usage.read",
        "bootstrap",
        "*",
        "all"};
    uint64_t scope = 42;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(scope_parse(bad[i], &scope));
        assert_int_equal(scope, 42);
    }
}

/* No key can be given it: it is in no list, and outside of what a secret key has. */
static void the_bootstrap_scope_is_not_among_those_of_keys(void **state)
{
    (void)state;
    assert_int_equal(SCOPE_BOOTSTRAP & SCOPES_ALL, 0);
    assert_string_equal(scope_text(SCOPE_BOOTSTRAP), "bootstrap");
}

static void several_scopes_have_no_text(void **state)
{
    (void)state;
    assert_string_equal(scope_text(0), "");
    assert_string_equal(scope_text(SCOPES_ALL), "");
    assert_string_equal(scope_text(SCOPE_USAGE_READ | SCOPE_USAGE_WRITE), "");
}

static void a_publishable_key_may_read_the_catalogue_alone(void **state)
{
    (void)state;
    assert_int_equal(SCOPES_PUBLISHABLE, SCOPE_CATALOG_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_back_and_each_is_one_bit),
        cmocka_unit_test(a_read_scope_and_its_write_scope_are_two),
        cmocka_unit_test(what_is_no_scope_is_refused),
        cmocka_unit_test(the_bootstrap_scope_is_not_among_those_of_keys),
        cmocka_unit_test(several_scopes_have_no_text),
        cmocka_unit_test(a_publishable_key_may_read_the_catalogue_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
