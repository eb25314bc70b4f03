#include "domain/payment_account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct payment_account whole(void)
{
    return (struct payment_account){
        .charges_enabled = true,
        .payouts_enabled = true,
        .details_submitted = true,
        .disabled_reason = "",
    };
}

static void works_when_all_is_there(void **state)
{
    struct payment_account account = whole();

    (void)state;
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_ACTIVE);
    account.requirement_count = 1;
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_ACTION_NEEDED);
    account.overdue_count = 1;
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_RESTRICTED);
}

static void the_form_comes_first(void **state)
{
    struct payment_account account = {.disabled_reason = "requirements.past_due"};

    (void)state;
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_ONBOARDING_INCOMPLETE);
    account.details_submitted = true;
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_RESTRICTED);
}

static void is_being_checked(void **state)
{
    struct payment_account account = {
        .details_submitted = true, .disabled_reason = "requirements.pending_verification"};

    (void)state;
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_IN_REVIEW);
    account.disabled_reason = "under_review";
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_IN_REVIEW);
}

static void payouts_alone_may_stop(void **state)
{
    struct payment_account account = whole();

    (void)state;
    account.payouts_enabled = false;
    account.requirement_count = 2;
    account.overdue_count = 1;
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_PAYOUTS_PAUSED);
}

static void the_end_wins_over_everything(void **state)
{
    struct payment_account account = whole();

    (void)state;
    account.disabled_reason = "rejected.fraud";
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_REJECTED);
    account.disconnected_us = 1;
    assert_int_equal(payment_account_state(&account), PAYMENT_ACCOUNT_DISCONNECTED);
    assert_string_equal(
        payment_account_state_name(payment_account_state(&account)), "DISCONNECTED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_when_all_is_there),
        cmocka_unit_test(the_form_comes_first),
        cmocka_unit_test(is_being_checked),
        cmocka_unit_test(payouts_alone_may_stop),
        cmocka_unit_test(the_end_wins_over_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
