#include "domain/api_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "domain/scope.h"

static void the_state_follows_from_the_times(void **state)
{
    const struct id successor = {{1}};
    static const struct {
        int64_t revoked_us;
        int64_t expires_us;
        bool rotated;
        enum api_key_state state;
    } cases[] = {
        {0, 0, false, API_KEY_ACTIVE},
        {0, 1001, false, API_KEY_ACTIVE},
        {0, 1000, false, API_KEY_EXPIRED},
        {0, 999, false, API_KEY_EXPIRED},
        {0, 2000, true, API_KEY_ROTATED},
        {0, 1000, true, API_KEY_EXPIRED},
        {5, 0, false, API_KEY_REVOKED},
        {5, 999, true, API_KEY_REVOKED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct api_key key = {.revoked_us = cases[i].revoked_us, .expires_us = cases[i].expires_us};

        if (cases[i].rotated) {
            key.rotated_to = successor;
        }
        assert_int_equal(api_key_state(&key, 1000), cases[i].state);
    }
}

static void a_secret_key_has_all_scopes_and_a_publishable_one_reads_the_catalogue(void **state)
{
    (void)state;
    assert_int_equal(api_key_scopes(KEY_SECRET, 0), SCOPES_ALL);
    assert_int_equal(api_key_scopes(KEY_PUBLISHABLE, 0), SCOPE_CATALOG_READ);
    assert_int_equal(api_key_scopes(KEY_NONE, SCOPES_ALL), 0);
    assert_int_equal(api_key_scopes(KEY_SECRET, 0) & SCOPE_BOOTSTRAP, 0);
}

static void each_write_includes_the_read_beside_it(void **state)
{
    (void)state;
    assert_int_equal(
        api_key_scopes(KEY_RESTRICTED, SCOPE_CUSTOMERS_WRITE),
        SCOPE_CUSTOMERS_WRITE | SCOPE_CUSTOMERS_READ);
    assert_int_equal(api_key_scopes(KEY_RESTRICTED, SCOPE_USAGE_READ), SCOPE_USAGE_READ);
    assert_int_equal(
        api_key_scopes(KEY_RESTRICTED, SCOPE_ORGANIZATION_WRITE | SCOPE_WEBHOOKS_WRITE),
        SCOPE_ORGANIZATION_WRITE | SCOPE_ORGANIZATION_READ | SCOPE_WEBHOOKS_WRITE |
            SCOPE_WEBHOOKS_READ);
}

/* with_reads() relies on it. */
static void scopes_come_in_pairs_of_read_and_write(void **state)
{
    (void)state;
    assert_int_equal(SCOPE_BIT_COUNT % 2, 0);
    for (uint32_t bit = 0; bit < SCOPE_BIT_COUNT; bit += 2) {
        const char *read = scope_text(UINT64_C(1) << bit);
        const char *write = scope_text(UINT64_C(2) << bit);
        const size_t area_len = strcspn(read, ".");

        assert_string_equal(read + area_len, ".read");
        assert_string_equal(write + area_len, ".write");
        assert_memory_equal(read, write, area_len);
    }
}

static void kind_and_mode_are_part_of_the_form(void **state)
{
    static const enum key_kind kinds[] = {KEY_SECRET, KEY_PUBLISHABLE, KEY_RESTRICTED};
    enum key_kind kind = KEY_NONE;
    bool live = false;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_true(api_key_of_form(api_key_form(kinds[i], true), &kind, &live));
        assert_int_equal(kind, kinds[i]);
        assert_true(live);
        assert_true(api_key_of_form(api_key_form(kinds[i], false), &kind, &live));
        assert_int_equal(kind, kinds[i]);
        assert_false(live);
        assert_true(api_key_kind_parse(api_key_kind_name(kinds[i]), &kind));
        assert_int_equal(kind, kinds[i]);
    }
    assert_false(api_key_of_form(SECRET_INVITATION_TOKEN, &kind, &live));
    assert_false(api_key_of_form(SECRET_BOOTSTRAP_TOKEN, &kind, &live));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_follows_from_the_times),
        cmocka_unit_test(a_secret_key_has_all_scopes_and_a_publishable_one_reads_the_catalogue),
        cmocka_unit_test(each_write_includes_the_read_beside_it),
        cmocka_unit_test(scopes_come_in_pairs_of_read_and_write),
        cmocka_unit_test(kind_and_mode_are_part_of_the_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
