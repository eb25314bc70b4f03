#include "domain/entitlement.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/wallclock.h"

#define NOW_US (20000 * US_PER_DAY + 12345)
#define STATES 300000

static const struct entitlement_customer usual = {.uncovered = DECISION_NO_ACTIVE_SUBSCRIPTION};

static struct entitlement metered(enum decision_reason access, int64_t limit)
{
    return (struct entitlement){
        .kind = FEATURE_METERED,
        .meter_no = 1,
        .access = access,
        .limit = limit,
        .window = {.reset = RESET_DAY},
        .overage_policy = OVERAGE_DENY,
        .config = "",
    };
}

static struct entitlement_decision
decide(const struct entitlement *entitlement, int64_t used, int64_t quantity)
{
    return entitlement_evaluate(
        &usual, entitlement, (struct entitlement_usage){used, 0}, quantity, NOW_US);
}

/* Ways of access x policies x quantities, written out: what is asked of a limit of 100. */
static const struct {
    enum decision_reason access;
    enum overage_policy policy;
    int64_t overage_max;
    int64_t used;
    int64_t quantity;
    bool allowed;
    enum decision_reason reason;
    int64_t remaining;
    int64_t overage;
} limit_cases[] = {
    {DECISION_GRANTED, OVERAGE_DENY, 0, 0, 0, true, DECISION_GRANTED, 100, 0},
    {DECISION_GRANTED, OVERAGE_DENY, 0, 0, 100, true, DECISION_GRANTED, 100, 0},
    {DECISION_GRANTED, OVERAGE_DENY, 0, 0, 101, false, DECISION_USAGE_LIMIT_REACHED, 100, 0},
    {DECISION_GRANTED, OVERAGE_DENY, 0, 99, 0, true, DECISION_GRANTED, 1, 0},
    {DECISION_GRANTED, OVERAGE_DENY, 0, 99, 1, true, DECISION_GRANTED, 1, 0},
    {DECISION_GRANTED, OVERAGE_DENY, 0, 99, 2, false, DECISION_USAGE_LIMIT_REACHED, 1, 0},
    {DECISION_GRANTED, OVERAGE_DENY, 0, 100, 0, false, DECISION_USAGE_LIMIT_REACHED, 0, 0},
    {DECISION_GRANTED, OVERAGE_DENY, 0, 130, 1, false, DECISION_USAGE_LIMIT_REACHED, 0, 30},
    {DECISION_GRANTED, OVERAGE_DENY, 50, 100, 1, false, DECISION_USAGE_LIMIT_REACHED, 0, 0},
    {DECISION_GRANTED, OVERAGE_ALLOW, 0, 100, 1, true, DECISION_GRANTED_OVERAGE, 0, 0},
    {DECISION_GRANTED, OVERAGE_ALLOW, 0, 50, 1, true, DECISION_GRANTED, 50, 0},
    {DECISION_GRANTED, OVERAGE_ALLOW, 20, 100, 20, true, DECISION_GRANTED_OVERAGE, 0, 0},
    {DECISION_GRANTED, OVERAGE_ALLOW, 20, 100, 21, false, DECISION_USAGE_LIMIT_REACHED, 0, 0},
    {DECISION_GRANTED, OVERAGE_BILL, 0, 130, 1000, true, DECISION_GRANTED_OVERAGE, 0, 30},
    {DECISION_GRANTED, OVERAGE_BILL, 30, 130, 1, false, DECISION_USAGE_LIMIT_REACHED, 0, 30},
    {DECISION_GRANTED_GRACE, OVERAGE_DENY, 0, 0, 1, true, DECISION_GRANTED_GRACE, 100, 0},
    {DECISION_GRANTED_GRACE, OVERAGE_DENY, 0, 100, 1, false, DECISION_USAGE_LIMIT_REACHED, 0, 0},
    {DECISION_GRANTED_GRACE, OVERAGE_BILL, 0, 100, 1, true, DECISION_GRANTED_OVERAGE, 0, 0},
    {DECISION_PAYMENT_OVERDUE, OVERAGE_ALLOW, 0, 0, 1, false, DECISION_PAYMENT_OVERDUE, 100, 0},
    {DECISION_PAYMENT_OVERDUE, OVERAGE_DENY, 0, 130, 1, false, DECISION_PAYMENT_OVERDUE, 0, 30},
    {DECISION_PAYMENT_INCOMPLETE, OVERAGE_BILL, 0, 7, 1, false, DECISION_PAYMENT_INCOMPLETE, 93, 0},
    {DECISION_SUBSCRIPTION_PAUSED,
     OVERAGE_DENY,
     0,
     0,
     1,
     false,
     DECISION_SUBSCRIPTION_PAUSED,
     100,
     0},
    {DECISION_NOT_YET_ACTIVE, OVERAGE_DENY, 0, 0, 1, false, DECISION_NOT_YET_ACTIVE, 100, 0},
    {DECISION_REVOKED, OVERAGE_ALLOW, 0, 0, 1, false, DECISION_REVOKED, 100, 0},
};

static void access_policy_and_quantity_decide_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(limit_cases); i++) {
        struct entitlement entitlement = metered(limit_cases[i].access, 100);
        struct entitlement_decision decision;

        entitlement.overage_policy = limit_cases[i].policy;
        entitlement.overage_max = limit_cases[i].overage_max;
        decision = decide(&entitlement, limit_cases[i].used, limit_cases[i].quantity);
        if (decision.allowed != limit_cases[i].allowed ||
            decision.reason != limit_cases[i].reason ||
            decision.remaining != limit_cases[i].remaining ||
            decision.overage != limit_cases[i].overage || decision.used != limit_cases[i].used ||
            !decision.has_balance) {
            fail_msg(
                "case %zu: %s, remaining %" PRId64 ", overage %" PRId64,
                i,
                decision_reason_name(decision.reason),
                decision.remaining,
                decision.overage);
        }
    }
}

static void a_limit_that_is_none_counts_all_the_same(void **state)
{
    struct entitlement entitlement = metered(DECISION_GRANTED, 0);
    struct entitlement_decision decision;

    (void)state;
    entitlement.unlimited = true;
    decision = decide(&entitlement, INT64_MAX, INT64_MAX);
    assert_true(decision.allowed);
    assert_int_equal(decision.reason, DECISION_GRANTED);
    assert_int_equal(decision.used, INT64_MAX);
    assert_int_equal(decision.remaining, 0);
    assert_int_equal(decision.overage, 0);
}

static void reservations_are_taken_from_what_remains(void **state)
{
    const struct entitlement entitlement = metered(DECISION_GRANTED, 100);
    struct entitlement_decision decision =
        entitlement_evaluate(&usual, &entitlement, (struct entitlement_usage){40, 50}, 11, NOW_US);

    (void)state;
    assert_false(decision.allowed);
    assert_int_equal(decision.reserved, 50);
    assert_int_equal(decision.remaining, 10);
    decision =
        entitlement_evaluate(&usual, &entitlement, (struct entitlement_usage){40, 50}, 10, NOW_US);
    assert_true(decision.allowed);
    /* Two numbers that do not fit into one another are more than any limit. */
    decision = entitlement_evaluate(
        &usual, &entitlement, (struct entitlement_usage){INT64_MAX, INT64_MAX}, 1, NOW_US);
    assert_false(decision.allowed);
    assert_int_equal(decision.remaining, 0);
    assert_int_equal(decision.overage, INT64_MAX - 100);
}

static void features_without_a_quantity_refuse_one(void **state)
{
    static const enum feature_kind kinds[] = {FEATURE_BOOLEAN, FEATURE_CONFIG};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct entitlement entitlement = metered(DECISION_GRANTED, 0);
        struct entitlement_decision decision;

        entitlement.kind = kinds[i];
        decision = decide(&entitlement, 0, 2);
        assert_false(decision.allowed);
        assert_int_equal(decision.reason, DECISION_FEATURE_TYPE_MISMATCH);
        for (int64_t quantity = 0; quantity < 2; quantity++) {
            decision = decide(&entitlement, 0, quantity);
            assert_true(decision.allowed);
            assert_false(decision.has_balance);
            assert_int_equal(decision.reason, DECISION_GRANTED);
        }
    }
}

/* Missing things first, then blocks and archival, then payment, then the plan. */
static void the_first_reason_in_the_order_of_the_api_is_given(void **state)
{
    struct entitlement entitlement = metered(DECISION_PAYMENT_OVERDUE, 100);
    struct entitlement boolean = metered(DECISION_PAYMENT_OVERDUE, 100);
    struct entitlement_customer customer = {
        .archived = true, .blocked = true, .uncovered = DECISION_FEATURE_NOT_IN_PLAN};
    const struct entitlement_usage full = {100, 0};

    (void)state;
    boolean.kind = FEATURE_BOOLEAN;
    assert_int_equal(
        entitlement_evaluate(&customer, &boolean, full, 2, NOW_US).reason,
        DECISION_FEATURE_TYPE_MISMATCH);
    assert_int_equal(
        entitlement_evaluate(&customer, &entitlement, full, 1, NOW_US).reason, DECISION_BLOCKED);
    customer.blocked = false;
    assert_int_equal(
        entitlement_evaluate(&customer, &entitlement, full, 1, NOW_US).reason,
        DECISION_CUSTOMER_ARCHIVED);
    assert_int_equal(
        entitlement_evaluate(&customer, NULL, full, 1, NOW_US).reason, DECISION_CUSTOMER_ARCHIVED);
    customer.archived = false;
    assert_int_equal(
        entitlement_evaluate(&customer, &entitlement, full, 1, NOW_US).reason,
        DECISION_PAYMENT_OVERDUE);
    assert_int_equal(
        entitlement_evaluate(&customer, NULL, full, 1, NOW_US).reason,
        DECISION_FEATURE_NOT_IN_PLAN);
    entitlement.access = DECISION_GRANTED;
    assert_int_equal(
        entitlement_evaluate(&customer, &entitlement, full, 1, NOW_US).reason,
        DECISION_USAGE_LIMIT_REACHED);
}

static void access_changes_when_its_time_has_come(void **state)
{
    static const struct {
        enum decision_reason access;
        enum decision_reason later;
        bool allowed_later;
    } cases[] = {
        {DECISION_GRANTED_GRACE, DECISION_PAYMENT_OVERDUE, false},
        {DECISION_GRANTED, DECISION_GRANT_EXPIRED, false},
        {DECISION_NOT_YET_ACTIVE, DECISION_GRANTED, true},
        {DECISION_SUBSCRIPTION_PAUSED, DECISION_SUBSCRIPTION_PAUSED, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct entitlement entitlement = metered(cases[i].access, 100);
        struct entitlement_decision decision;

        entitlement.kind = FEATURE_BOOLEAN;
        entitlement.access_until_us = NOW_US + 1;
        decision = decide(&entitlement, 0, 1);
        assert_int_equal(decision.reason, cases[i].access);
        assert_int_equal(decision.valid_until_us, NOW_US + 1);
        entitlement.access_until_us = NOW_US;
        decision = decide(&entitlement, 0, 1);
        assert_int_equal(decision.reason, cases[i].later);
        assert_int_equal(decision.allowed, cases[i].allowed_later);
        assert_int_equal(decision.valid_until_us, 0);
    }
}

/* valid_until: the next thing known to happen. retry: when the same question could be allowed
 * without a purchase. */
static void the_times_of_an_answer_are_those_of_the_next_change(void **state)
{
    struct entitlement entitlement = metered(DECISION_GRANTED, 100);
    const int64_t end_us = NOW_US - 12345 + US_PER_DAY;
    struct entitlement_customer blocked = {.blocked = true};
    struct entitlement_decision decision = decide(&entitlement, 100, 1);

    (void)state;
    assert_int_equal(decision.valid_until_us, end_us);
    assert_int_equal(decision.retry_us, end_us);
    assert_int_equal(decision.window.end_us, end_us);
    assert_int_equal(decide(&entitlement, 0, 1).retry_us, 0);
    /* More than there is in a whole window: it will never be allowed. */
    assert_int_equal(decide(&entitlement, 100, 101).retry_us, 0);
    /* With a ceiling above the limit it will. */
    entitlement.overage_policy = OVERAGE_BILL;
    entitlement.overage_max = 50;
    assert_int_equal(decide(&entitlement, 150, 101).retry_us, end_us);
    assert_int_equal(decide(&entitlement, 150, 151).retry_us, 0);
    entitlement.overage_policy = OVERAGE_DENY;
    /* What stands against the customer does not end with the window. */
    decision =
        entitlement_evaluate(&blocked, &entitlement, (struct entitlement_usage){100, 0}, 1, NOW_US);
    assert_int_equal(decision.reason, DECISION_BLOCKED);
    assert_int_equal(decision.retry_us, 0);
    /* Grace that ends before the window does. */
    entitlement.access = DECISION_GRANTED_GRACE;
    entitlement.access_until_us = NOW_US + 5;
    assert_int_equal(decide(&entitlement, 0, 1).valid_until_us, NOW_US + 5);
    entitlement.access = DECISION_NOT_YET_ACTIVE;
    decision = decide(&entitlement, 0, 1);
    assert_int_equal(decision.retry_us, NOW_US + 5);
    entitlement.window.reset = RESET_NEVER;
    entitlement.access = DECISION_GRANTED;
    entitlement.access_until_us = 0;
    decision = decide(&entitlement, 100, 1);
    assert_int_equal(decision.valid_until_us, 0);
    assert_int_equal(decision.retry_us, 0);
}

static void near_the_limit_the_counter_itself_is_asked(void **state)
{
    static const struct {
        int64_t limit;
        int64_t used;
        int64_t quantity;
        bool near;
    } cases[] = {
        {100, 0, 1, false},
        {100, 89, 1, false},
        {100, 90, 1, true},
        {100, 80, 10, false},
        {100, 81, 10, true},
        {100, 200, 1, true},
        {100000, 98999, 1, false},
        {100000, 99000, 1, true},
        {5, 0, 1, true},
        {0, 0, 1, true},
        {INT64_MAX, INT64_MAX, 1, true},
        {INT64_MAX, 0, INT64_MAX, true},
        {INT64_MAX, 1000, 1, false},
    };
    struct entitlement unlimited = metered(DECISION_GRANTED, 0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct entitlement entitlement = metered(DECISION_GRANTED, cases[i].limit);

        if (entitlement_near_limit(&entitlement, cases[i].used, cases[i].quantity) !=
            cases[i].near) {
            fail_msg("case %zu", i);
        }
    }
    unlimited.unlimited = true;
    assert_false(entitlement_near_limit(&unlimited, INT64_MAX, INT64_MAX));
}

/* --- the decision against a plain model of it --------------------------------------------------
 */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static uint64_t below(uint64_t *seed, uint64_t bound)
{
    return next_random(seed) % bound;
}

/* Numbers near each other and near the edges, so that comparisons come out either way. */
static int64_t some_number(uint64_t *seed)
{
    static const int64_t edges[] = {
        0, 1, 2, 99, 100, 101, 200, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};

    return below(seed, 3) == 0 ? edges[below(seed, ARRAY_LEN(edges))] : (int64_t)below(seed, 250);
}

struct question {
    struct entitlement_customer customer;
    struct entitlement entitlement;
    bool covered;
    struct entitlement_usage usage;
    int64_t quantity;
};

static struct question some_question(uint64_t *seed)
{
    static const enum decision_reason accesses[] = {
        DECISION_GRANTED,
        DECISION_GRANTED,
        DECISION_GRANTED_GRACE,
        DECISION_NOT_YET_ACTIVE,
        DECISION_PAYMENT_OVERDUE,
        DECISION_PAYMENT_INCOMPLETE,
        DECISION_SUBSCRIPTION_PAUSED,
        DECISION_REVOKED,
        DECISION_GRANT_EXPIRED};
    static const enum reset_period resets[] = {
        RESET_NEVER, RESET_DAY, RESET_MONTH, RESET_BILLING_PERIOD};
    struct question question = {
        .customer =
            {
                .archived = below(seed, 10) == 0,
                .blocked = below(seed, 10) == 0,
                .uncovered = below(seed, 2) == 0 ? DECISION_NO_ACTIVE_SUBSCRIPTION
                                                 : DECISION_FEATURE_NOT_IN_PLAN,
            },
        .covered = below(seed, 10) != 0,
        .usage = {some_number(seed), below(seed, 4) == 0 ? some_number(seed) : 0},
        .quantity = some_number(seed),
    };
    struct entitlement *e = &question.entitlement;

    *e = metered(accesses[below(seed, ARRAY_LEN(accesses))], some_number(seed));
    e->kind = (enum feature_kind)below(seed, 4);
    e->unlimited = below(seed, 8) == 0;
    e->overage_policy = (enum overage_policy)(1 + below(seed, 3));
    e->overage_max = below(seed, 2) == 0 ? 0 : some_number(seed);
    e->window.reset = resets[below(seed, ARRAY_LEN(resets))];
    if (below(seed, 3) == 0) {
        e->access_until_us = NOW_US - 2 + (int64_t)below(seed, 5);
    }
    return question;
}

/* In 128 bits nothing here overflows. */
struct model {
    bool allowed;
    enum decision_reason reason;
    __int128 remaining;
    __int128 overage;
    bool has_balance;
};

static enum decision_reason model_access(const struct entitlement *e)
{
    if (e->access_until_us == 0 || e->access_until_us > NOW_US) {
        return e->access;
    }
    if (e->access == DECISION_GRANTED) {
        return DECISION_GRANT_EXPIRED;
    }
    if (e->access == DECISION_GRANTED_GRACE) {
        return DECISION_PAYMENT_OVERDUE;
    }
    return e->access == DECISION_NOT_YET_ACTIVE ? DECISION_GRANTED : e->access;
}

static void model_limit(const struct question *question, struct model *model)
{
    const struct entitlement *e = &question->entitlement;
    const __int128 taken = (__int128)question->usage.used + question->usage.reserved;
    const __int128 wanted = taken + (question->quantity == 0 ? 1 : question->quantity);
    const __int128 ceiling = (__int128)e->limit + e->overage_max; /* past 64 bits: none */

    model->has_balance = true;
    if (e->unlimited) {
        return;
    }
    model->remaining = e->limit > taken ? e->limit - taken : 0;
    model->overage =
        question->usage.used > e->limit ? (__int128)question->usage.used - e->limit : 0;
    if (!model->allowed || wanted <= e->limit) {
        return;
    }
    if (e->overage_policy != OVERAGE_DENY &&
        (e->overage_max == 0 || ceiling >= INT64_MAX || wanted <= ceiling)) {
        model->reason = DECISION_GRANTED_OVERAGE;
        return;
    }
    model->allowed = false;
    model->reason = DECISION_USAGE_LIMIT_REACHED;
}

static struct model model_of(const struct question *question)
{
    const bool counts = question->entitlement.kind == FEATURE_METERED ||
                        question->entitlement.kind == FEATURE_CREDITS;
    struct model model = {.reason = question->customer.uncovered};

    if (question->covered) {
        model.reason = model_access(&question->entitlement);
        model.allowed = model.reason == DECISION_GRANTED || model.reason == DECISION_GRANTED_GRACE;
        if (counts) {
            model_limit(question, &model);
        }
    }
    if (question->customer.archived) {
        model.reason = DECISION_CUSTOMER_ARCHIVED;
    }
    if (question->customer.blocked) {
        model.reason = DECISION_BLOCKED;
    }
    if (question->covered && !counts && question->quantity > 1) {
        model.reason = DECISION_FEATURE_TYPE_MISMATCH;
    }
    model.allowed = model.reason == DECISION_GRANTED || model.reason == DECISION_GRANTED_GRACE ||
                    model.reason == DECISION_GRANTED_OVERAGE;
    return model;
}

static void decisions_agree_with_a_plain_model(void **state)
{
    uint64_t seed = 88172645463325252;

    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        const struct question question = some_question(&seed);
        const struct model model = model_of(&question);
        const struct entitlement_decision decision = entitlement_evaluate(
            &question.customer,
            question.covered ? &question.entitlement : NULL,
            question.usage,
            question.quantity,
            NOW_US);

        if (decision.allowed != model.allowed || decision.reason != model.reason ||
            decision.remaining != model.remaining || decision.overage != model.overage ||
            decision.has_balance != model.has_balance) {
            fail_msg(
                "state %zu: %s instead of %s",
                i,
                decision_reason_name(decision.reason),
                decision_reason_name(model.reason));
        }
        assert_true(decision.valid_until_us == 0 || decision.valid_until_us > NOW_US);
        assert_true(!decision.allowed || decision.retry_us == 0);
        assert_true(decision.retry_us == 0 || decision.retry_us > NOW_US);
    }
}

static void names_are_read_back(void **state)
{
    enum decision_reason reason = DECISION_GRANTED;

    (void)state;
    for (int number = 0; number < 100; number++) {
        const char *name = decision_reason_name((enum decision_reason)number);

        if (name[0] != '\0') {
            assert_true(decision_reason_parse(name, &reason));
            assert_int_equal(reason, number);
        }
    }
    assert_string_equal(decision_reason_name(DECISION_GRANTED_GRACE), "GRACE");
    assert_false(decision_reason_parse("", &reason));
    assert_false(decision_reason_parse("PERHAPS", &reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(access_policy_and_quantity_decide_together),
        cmocka_unit_test(a_limit_that_is_none_counts_all_the_same),
        cmocka_unit_test(reservations_are_taken_from_what_remains),
        cmocka_unit_test(features_without_a_quantity_refuse_one),
        cmocka_unit_test(the_first_reason_in_the_order_of_the_api_is_given),
        cmocka_unit_test(access_changes_when_its_time_has_come),
        cmocka_unit_test(the_times_of_an_answer_are_those_of_the_next_change),
        cmocka_unit_test(near_the_limit_the_counter_itself_is_asked),
        cmocka_unit_test(decisions_agree_with_a_plain_model),
        cmocka_unit_test(names_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
