#include "domain/subscription_operation.h"

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

static struct subscription_verdict
of(enum subscription_operation operation, enum subscription_status status)
{
    return subscription_verdict(operation, status);
}

/* In words of its own: which states each operation is open to. "P" PENDING, "F" FAILED ... as in
 * the header; in lower case: succeeds with nothing to do. */
static const struct {
    enum subscription_operation operation;
    const char *open;
    const char *next; /* the state that each of them leads to, in the same order */
    enum reason reason;
} wanted[] = {
    {SUBSCRIPTION_OPERATION_CREATE, "FEC", "PPP", REASON_SUBSCRIPTION_EXISTS},
    {SUBSCRIPTION_OPERATION_UPDATE, "TAIDUZ", "TAIDUZ", REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_CANCEL_NOW, "TAIDUZec", "CCCCCCEC", REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_CANCEL_LATER,
     "TAIDUZec",
     "TAIDUZEC",
     REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_UNDO_CANCEL, "TAIDUZ", "TAIDUZ", REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_CHANGE, "TAD", "TAD", REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_PAUSE_COLLECTION, "TADU", "TADU", REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_RESUME_COLLECTION,
     "TADUZi",
     "TADUZI",
     REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_PAUSE, "A", "Z", REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_RESUME, "Z", "A", REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_EXTEND_TRIAL, "T", "T", REASON_TRIAL_NOT_RUNNING},
    {SUBSCRIPTION_OPERATION_END_TRIAL, "T", "A", REASON_TRIAL_NOT_RUNNING},
    {SUBSCRIPTION_OPERATION_RENEW, "DU", "AA", REASON_SUBSCRIPTION_STATE_INVALID},
    {SUBSCRIPTION_OPERATION_PAYMENT_SUCCEEDED, "PTAIDUZC", "ATAAAAAC", REASON_NONE},
    {SUBSCRIPTION_OPERATION_PAYMENT_FAILED, "PTAIDUZC", "FTDIDUZC", REASON_NONE},
    {SUBSCRIPTION_OPERATION_PAYMENT_EXHAUSTED, "PTAIDUC", "FTAEUUC", REASON_NONE},
    {SUBSCRIPTION_OPERATION_TRIAL_ENDED, "T", "A", REASON_NONE},
};

static const char letters[] = "PFTAIEDUZC";

static const char *place_in(const char *open, char letter)
{
    const char *place = strchr(open, letter);

    return place != NULL ? place : strchr(open, letter - 'A' + 'a');
}

static void expect_verdict(size_t row, size_t state)
{
    const struct subscription_verdict verdict = of(wanted[row].operation, all[state]);
    const char *place = place_in(wanted[row].open, letters[state]);
    const char *name = subscription_operation_name(wanted[row].operation);
    bool same = verdict.allowed == (place != NULL);

    if (same && place == NULL) {
        same = verdict.reason == wanted[row].reason && !verdict.nothing;
    } else if (same) {
        const char next = wanted[row].next[place - wanted[row].open];

        same = verdict.reason == REASON_NONE && verdict.nothing == (*place >= 'a') &&
               letters[(int)verdict.next - 1] == next;
    }
    if (!same) {
        fail_msg("%s in %s is not as in the table", name, subscription_status_name(all[state]));
    }
}

static void every_operation_in_every_state_is_as_written(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(wanted), SUBSCRIPTION_OPERATION_COUNT);
    for (size_t row = 0; row < ARRAY_LEN(wanted); row++) {
        assert_int_equal(wanted[row].operation, row);
        for (size_t i = 0; i < STATUS_COUNT; i++) {
            expect_verdict(row, i);
        }
    }
}

/* What the table promises must be what the mirror would take from the payment side. */
static void the_mirror_takes_every_step_of_the_table(void **state)
{
    (void)state;
    for (int operation = 0; operation < SUBSCRIPTION_OPERATION_COUNT; operation++) {
        for (size_t i = 0; i < STATUS_COUNT; i++) {
            const struct subscription_verdict verdict =
                of((enum subscription_operation)operation, all[i]);

            if (operation == SUBSCRIPTION_OPERATION_CREATE || verdict.next == SUBSCRIPTION_FAILED) {
                continue; /* words of our own: a new row, and one that never came to be */
            }
            assert_int_not_equal(subscription_move(all[i], verdict.next), MOVE_REFUSED);
        }
    }
}

static void what_has_ended_changes_no_more(void **state)
{
    (void)state;
    for (int operation = 0; operation < SUBSCRIPTION_OPERATION_COUNT; operation++) {
        for (size_t i = 0; i < STATUS_COUNT; i++) {
            if (operation != SUBSCRIPTION_OPERATION_CREATE && subscription_status_ended(all[i])) {
                assert_int_equal(of((enum subscription_operation)operation, all[i]).next, all[i]);
            }
        }
    }
    /* Who has ended one may subscribe again, and nobody else. */
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        assert_int_equal(
            of(SUBSCRIPTION_OPERATION_CREATE, all[i]).allowed, subscription_status_ended(all[i]));
    }
}

/* The letters of the table stand for the numbers of the API. */
static void the_columns_are_the_states_in_their_order(void **state)
{
    (void)state;
    assert_int_equal(STATUS_COUNT, strlen(letters));
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        assert_int_equal(all[i], i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_in_every_state_is_as_written),
        cmocka_unit_test(the_mirror_takes_every_step_of_the_table),
        cmocka_unit_test(what_has_ended_changes_no_more),
        cmocka_unit_test(the_columns_are_the_states_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
