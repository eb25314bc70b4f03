#include "domain/subscription.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const enum subscription_status all[] = {
#define X(name, number, word) SUBSCRIPTION_##name,
    SUBSCRIPTION_STATUSES(X)
#undef X
};

#define STATUS_COUNT ARRAY_LEN(all)

/* The whole table, from the row to the column: "." the same state, "x" a step, "-" refused.
 *                                       P F T A I E D U Z C
 * PENDING, FAILED, TRIALING, ACTIVE, INCOMPLETE, (I.)EXPIRED, PAST_DUE, UNPAID, PAUSED, CANCELED */
static const char *const moves[STATUS_COUNT] = {
    ".-xxxxxxxx", /* PENDING */
    "-.xxxxxxxx", /* FAILED: the payment side has it after all */
    "--.xxxxxxx", /* TRIALING */
    "--x.xxxxxx", /* ACTIVE */
    "--xx.xxxxx", /* INCOMPLETE */
    "-----.----", /* INCOMPLETE_EXPIRED */
    "--xxxx.xxx", /* PAST_DUE */
    "--xxxxx.xx", /* UNPAID */
    "--xxxxxx.x", /* PAUSED */
    "---------.", /* CANCELED */
};

static void expect_same(bool same, enum subscription_status from, enum subscription_status to)
{
    if (!same) {
        fail_msg(
            "%s -> %s is not as in the table",
            subscription_status_name(from),
            subscription_status_name(to));
    }
}

static void every_move_is_as_in_the_table(void **state)
{
    (void)state;
    for (size_t from = 0; from < STATUS_COUNT; from++) {
        for (size_t to = 0; to < STATUS_COUNT; to++) {
            const enum subscription_move wanted = moves[from][to] == '.'   ? MOVE_NONE
                                                  : moves[from][to] == 'x' ? MOVE_STEP
                                                                           : MOVE_REFUSED;

            expect_same(
                (int)subscription_move(all[from], all[to]) == (int)wanted, all[from], all[to]);
        }
    }
}

/* What each step is told as: "A" activated, "U" updated, "C" canceled, "F" failed. */
static const char *const told[STATUS_COUNT] = {
    ".FAAUFUUUC", /* PENDING */
    "U.AAUFUUUC", /* FAILED */
    "UF.UUFUUUC", /* TRIALING */
    "UFU.UFUUUC", /* ACTIVE */
    "UFAA.FUUUC", /* INCOMPLETE */
    "UFAAU.UUUC", /* INCOMPLETE_EXPIRED */
    "UFUUUF.UUC", /* PAST_DUE: it had access, being paid is no activation */
    "UFAAUFU.UC", /* UNPAID */
    "UFAAUFUU.C", /* PAUSED */
    "UFAAUFUUU.", /* CANCELED */
};

static enum event_type event_of(char letter)
{
    return letter == 'A'   ? EVENT_SUBSCRIPTION_ACTIVATED
           : letter == 'C' ? EVENT_SUBSCRIPTION_CANCELED
           : letter == 'F' ? EVENT_SUBSCRIPTION_FAILED
                           : EVENT_SUBSCRIPTION_UPDATED;
}

static void every_change_is_told_as_in_the_table(void **state)
{
    (void)state;
    for (size_t from = 0; from < STATUS_COUNT; from++) {
        for (size_t to = 0; to < STATUS_COUNT; to++) {
            enum event_type type = EVENT_TYPE_COUNT;

            if (from == to) {
                assert_false(subscription_event(all[from], all[to], false, &type));
                assert_true(subscription_event(all[from], all[to], true, &type));
                assert_int_equal(type, EVENT_SUBSCRIPTION_UPDATED);
                continue;
            }
            assert_true(subscription_event(all[from], all[to], false, &type));
            expect_same(type == event_of(told[from][to]), all[from], all[to]);
        }
    }
}

static void names_and_words_lead_there_and_back(void **state)
{
    static const char *const words[] = {
        "trialing",
        "active",
        "incomplete",
        "incomplete_expired",
        "past_due",
        "unpaid",
        "paused",
        "canceled",
    };
    size_t known = 0;

    (void)state;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        enum subscription_status parsed;

        assert_true(subscription_status_parse(subscription_status_name(all[i]), &parsed));
        assert_int_equal(parsed, all[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const enum subscription_status status =
            subscription_status_of_payment(words[i], SUBSCRIPTION_PENDING);

        known += status != SUBSCRIPTION_INCOMPLETE || strcmp(words[i], "incomplete") == 0 ? 1 : 0;
        assert_int_not_equal(status, SUBSCRIPTION_PENDING);
        assert_int_not_equal(status, SUBSCRIPTION_FAILED);
    }
    assert_int_equal(known, ARRAY_LEN(words));
    assert_string_equal(subscription_status_name((enum subscription_status)99), "");
}

/* A word of a later version must not open a door that is shut, nor shut one that is open. */
static void an_unknown_word_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const enum subscription_status status = subscription_status_of_payment("dormant", all[i]);
        const bool ours = all[i] == SUBSCRIPTION_PENDING || all[i] == SUBSCRIPTION_FAILED;

        assert_int_equal(status, ours ? SUBSCRIPTION_INCOMPLETE : all[i]);
        assert_int_equal(subscription_status_of_payment("", all[i]), status);
    }
}

static void overdue_counts_from_its_first_moment(void **state)
{
    (void)state;
    assert_int_equal(subscription_past_due_since(SUBSCRIPTION_PAST_DUE, 0, 500), 500);
    assert_int_equal(subscription_past_due_since(SUBSCRIPTION_PAST_DUE, 300, 500), 300);
    assert_int_equal(subscription_past_due_since(SUBSCRIPTION_UNPAID, 300, 500), 300);
    assert_int_equal(subscription_past_due_since(SUBSCRIPTION_ACTIVE, 300, 500), 0);
    assert_int_equal(subscription_past_due_since(SUBSCRIPTION_CANCELED, 300, 500), 0);
}

static void access_follows_from_the_state(void **state)
{
    static const enum decision_reason wanted[STATUS_COUNT] = {
        DECISION_PAYMENT_INCOMPLETE,
        DECISION_NO_ACTIVE_SUBSCRIPTION,
        DECISION_GRANTED,
        DECISION_GRANTED,
        DECISION_PAYMENT_INCOMPLETE,
        DECISION_NO_ACTIVE_SUBSCRIPTION,
        DECISION_GRANTED_GRACE,
        DECISION_PAYMENT_OVERDUE,
        DECISION_SUBSCRIPTION_PAUSED,
        DECISION_NO_ACTIVE_SUBSCRIPTION,
    };

    (void)state;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        int64_t until_us = -1;

        assert_int_equal(subscription_access(all[i], 1000, 100, 1050, &until_us), wanted[i]);
        assert_int_equal(until_us, all[i] == SUBSCRIPTION_PAST_DUE ? 1100 : 0);
    }
}

static void grace_ends_to_the_microsecond(void **state)
{
    int64_t until_us = 0;

    (void)state;
    assert_int_equal(
        subscription_access(SUBSCRIPTION_PAST_DUE, 1000, 100, 1099, &until_us),
        DECISION_GRANTED_GRACE);
    assert_int_equal(until_us, 1100);
    assert_int_equal(
        subscription_access(SUBSCRIPTION_PAST_DUE, 1000, 100, 1100, &until_us),
        DECISION_PAYMENT_OVERDUE);
    assert_int_equal(until_us, 0);
    assert_int_equal(
        subscription_access(SUBSCRIPTION_PAST_DUE, 1000, 0, 1000, &until_us),
        DECISION_PAYMENT_OVERDUE);
}

static void without_an_account_what_gives_access_is_overdue_since_then(void **state)
{
    for (int i = 0; i <= SUBSCRIPTION_PAUSED + 10; i++) {
        const enum subscription_status status = (enum subscription_status)i;
        const bool gives = status == SUBSCRIPTION_ACTIVE || status == SUBSCRIPTION_TRIALING;
        int64_t since_us = 5;

        (void)state;
        assert_int_equal(subscription_status_disconnected(status, 0, &since_us), status);
        assert_int_equal(since_us, 5);
        assert_int_equal(
            subscription_status_disconnected(status, 7, &since_us),
            gives ? SUBSCRIPTION_PAST_DUE : status);
        assert_int_equal(since_us, gives ? 7 : 5);
    }
}

static void what_has_ended_is_known(void **state)
{
    size_t ended = 0;

    (void)state;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        ended += subscription_status_ended(all[i]) ? 1 : 0;
    }
    assert_int_equal(ended, 3);
    assert_true(subscription_status_ended(SUBSCRIPTION_FAILED));
    assert_true(subscription_status_ended(SUBSCRIPTION_INCOMPLETE_EXPIRED));
    assert_true(subscription_status_ended(SUBSCRIPTION_CANCELED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_move_is_as_in_the_table),
        cmocka_unit_test(every_change_is_told_as_in_the_table),
        cmocka_unit_test(names_and_words_lead_there_and_back),
        cmocka_unit_test(an_unknown_word_changes_nothing),
        cmocka_unit_test(overdue_counts_from_its_first_moment),
        cmocka_unit_test(access_follows_from_the_state),
        cmocka_unit_test(grace_ends_to_the_microsecond),
        cmocka_unit_test(without_an_account_what_gives_access_is_overdue_since_then),
        cmocka_unit_test(what_has_ended_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
