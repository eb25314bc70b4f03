#include "domain/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void addresses_that_can_be_sent_to_are_taken(void **state)
{
    static const char *const good[] = {
        "ada@example.com", "a+b@x", "\xc3\xa4@example.com", "o'neil@example.co.uk"};
    static const char *const bad[] = {
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "a@b@c",
        "a da@example.com",
        "ada@example.com\n",
        "<ada@example.com>",
        "a,b@example.com",
        "ada@.example.com",
        "ada@example.com.",
    };
    char long_one[MEMBER_EMAIL_BYTES_MAX + 2];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(member_email_valid(good[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(member_email_valid(bad[i]));
    }
    memset(long_one, 'a', sizeof long_one);
    long_one[1] = '@';
    long_one[MEMBER_EMAIL_BYTES_MAX + 1] = '\0';
    assert_false(member_email_valid(long_one));
    long_one[MEMBER_EMAIL_BYTES_MAX] = '\0';
    assert_true(member_email_valid(long_one));
}

static void a_name_has_at_most_100_characters(void **state)
{
    char name[2 * MEMBER_NAME_LETTERS_MAX + 2] = "";

    (void)state;
    assert_true(member_name_valid(""));
    assert_false(member_name_valid("\xc3"));
    for (size_t i = 0; i < MEMBER_NAME_LETTERS_MAX; i++) {
        name[2 * i] = '\xc3';
        name[2 * i + 1] = '\xa9';
    }
    assert_true(member_name_valid(name));
    name[strlen(name)] = 'e';
    assert_false(member_name_valid(name));
}

static void roles_have_names(void **state)
{
    enum member_role role = MEMBER_VIEWER;

    (void)state;
    for (size_t i = 0; i < MEMBER_ROLE_COUNT; i++) {
        assert_true(member_role_parse(member_role_name((enum member_role)i), &role));
        assert_int_equal(role, i);
    }
    assert_false(member_role_parse("KING", &role));
}

static void an_invitation_ends_once(void **state)
{
    struct invitation invitation = {.expires_us = 1000};

    (void)state;
    assert_int_equal(invitation_state(&invitation, 999), INVITATION_OPEN);
    assert_int_equal(invitation_state(&invitation, 1000), INVITATION_EXPIRED);
    invitation.revoked_us = 5;
    assert_int_equal(invitation_state(&invitation, 2000), INVITATION_REVOKED);
    invitation.revoked_us = 0;
    invitation.accepted_us = 5;
    assert_int_equal(invitation_state(&invitation, 2000), INVITATION_ACCEPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_can_be_sent_to_are_taken),
        cmocka_unit_test(a_name_has_at_most_100_characters),
        cmocka_unit_test(roles_have_names),
        cmocka_unit_test(an_invitation_ends_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
