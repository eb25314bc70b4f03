#include "domain/invoice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const enum invoice_status all[] = {
#define X(name, number, word) INVOICE_##name,
    INVOICE_STATUSES(X)
#undef X
};

static struct invoice invoice_of(enum invoice_status status, int64_t attempts, int64_t paid_minor)
{
    return (struct invoice){
        .status = status,
        .number = "A-1",
        .total_minor = 1000,
        .due_minor = 1000,
        .paid_minor = paid_minor,
        .remaining_minor = 1000 - paid_minor,
        .attempt_count = attempts,
    };
}

static void told(
    const struct invoice *old,
    const struct invoice *now,
    size_t count,
    const enum event_type *wanted)
{
    enum event_type types[INVOICE_TOLD_MAX];

    assert_int_equal(invoice_events(old, now, types), count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(event_type_name(types[i]), event_type_name(wanted[i]));
    }
}

#define TOLD(old, now, ...)                              \
    do {                                                 \
        const enum event_type wanted_[] = {__VA_ARGS__}; \
        told((old), (now), ARRAY_LEN(wanted_), wanted_); \
    } while (0)

static void names_and_words_lead_there_and_back(void **state)
{
    static const char *const words[] = {"draft", "open", "paid", "void", "uncollectible"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        enum invoice_status parsed;

        assert_true(invoice_status_parse(invoice_status_name(all[i]), &parsed));
        assert_int_equal(parsed, all[i]);
        assert_int_equal(invoice_status_of_payment(words[i], INVOICE_DRAFT), all[i]);
        assert_int_equal(invoice_status_of_payment("frozen", all[i]), all[i]);
    }
}

static void what_is_final_stays(void **state)
{
    (void)state;
    for (size_t from = 0; from < ARRAY_LEN(all); from++) {
        for (size_t to = 0; to < ARRAY_LEN(all); to++) {
            const bool final = all[from] == INVOICE_PAID || all[from] == INVOICE_VOID;

            assert_int_equal(invoice_move_refused(all[from], all[to]), final && from != to);
        }
    }
}

static void a_first_sight_is_told(void **state)
{
    const struct invoice draft = invoice_of(INVOICE_DRAFT, 0, 0);
    const struct invoice paid = invoice_of(INVOICE_PAID, 1, 1000);
    const struct invoice declined = invoice_of(INVOICE_OPEN, 1, 0);

    (void)state;
    TOLD(NULL, &draft, EVENT_INVOICE_UPDATED);
    TOLD(NULL, &paid, EVENT_PAYMENT_SUCCEEDED, EVENT_INVOICE_PAID);
    TOLD(NULL, &declined, EVENT_PAYMENT_FAILED, EVENT_INVOICE_UPDATED);
}

static void each_failed_try_is_told_once(void **state)
{
    const struct invoice first = invoice_of(INVOICE_OPEN, 1, 0);
    const struct invoice second = invoice_of(INVOICE_OPEN, 2, 0);

    (void)state;
    TOLD(&first, &second, EVENT_PAYMENT_FAILED, EVENT_INVOICE_UPDATED);
    told(&second, &second, 0, NULL);
}

static void to_be_paid_is_told_once(void **state)
{
    const struct invoice open = invoice_of(INVOICE_OPEN, 1, 0);
    const struct invoice paid = invoice_of(INVOICE_PAID, 2, 1000);
    struct invoice free_of_charge = invoice_of(INVOICE_PAID, 0, 0);

    (void)state;
    TOLD(&open, &paid, EVENT_PAYMENT_SUCCEEDED, EVENT_INVOICE_PAID);
    told(&paid, &paid, 0, NULL);
    free_of_charge.total_minor = 0;
    TOLD(NULL, &free_of_charge, EVENT_INVOICE_PAID);
}

static void what_nobody_sees_is_not_told(void **state)
{
    struct invoice old = invoice_of(INVOICE_OPEN, 1, 0);
    struct invoice now = old;

    (void)state;
    now.hosted_url = "https://example.com/other";
    now.fetch_number = 9;
    told(&old, &now, 0, NULL);
    now.number = "A-2";
    TOLD(&old, &now, EVENT_INVOICE_UPDATED);
}

static void each_act_is_for_some_statuses(void **state)
{
    static const enum invoice_status statuses[] = {
        INVOICE_DRAFT, INVOICE_OPEN, INVOICE_PAID, INVOICE_VOID, INVOICE_UNCOLLECTIBLE};
    static const struct {
        enum invoice_act act;
        enum invoice_verdict verdicts[5];
    } cases[] = {
        {INVOICE_ACT_FINALIZE, {INVOICE_TO_DO}},
        {INVOICE_ACT_PAY, {[1] = INVOICE_TO_DO, [4] = INVOICE_TO_DO}},
        {INVOICE_ACT_SEND, {[1] = INVOICE_TO_DO}},
        {INVOICE_ACT_VOID, {[1] = INVOICE_TO_DO, [3] = INVOICE_NOTHING, [4] = INVOICE_TO_DO}},
        {INVOICE_ACT_WRITE_OFF, {[1] = INVOICE_TO_DO}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum invoice_act read = INVOICE_ACT_FINALIZE;

        for (size_t j = 0; j < ARRAY_LEN(statuses); j++) {
            assert_int_equal(invoice_act_verdict(cases[i].act, statuses[j]), cases[i].verdicts[j]);
        }
        assert_true(invoice_act_parse(invoice_act_name(cases[i].act), &read));
        assert_int_equal(read, cases[i].act);
    }
    assert_true(invoice_act_reached(INVOICE_ACT_PAY, INVOICE_PAID));
    assert_false(invoice_act_reached(INVOICE_ACT_PAY, INVOICE_OPEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_words_lead_there_and_back),
        cmocka_unit_test(what_is_final_stays),
        cmocka_unit_test(a_first_sight_is_told),
        cmocka_unit_test(each_failed_try_is_told_once),
        cmocka_unit_test(to_be_paid_is_told_once),
        cmocka_unit_test(what_nobody_sees_is_not_told),
        cmocka_unit_test(each_act_is_for_some_statuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
