#include "stripe/stripe_budget.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define START (1000 * SECOND)

static struct stripe_budget *new_budget(uint32_t platform, uint32_t account)
{
    return stripe_budget_new(&(struct stripe_budget_config){
        .platform_per_second = platform, .account_per_second = account});
}

static int take_all(struct stripe_budget *budget, const char *account, int64_t now_us)
{
    int count = 0;

    while (count < 1000 && stripe_budget_take(budget, account, now_us) == 0) {
        count++;
    }
    return count;
}

static void an_account_has_a_second_of_tokens_and_gets_them_back(void **state)
{
    struct stripe_budget *budget = new_budget(1000, 20);

    (void)state;
    assert_int_equal(take_all(budget, "acct_1", START), 20);
    assert_int_equal(stripe_budget_take(budget, "acct_1", START), 50);
    assert_int_equal(take_all(budget, "acct_2", START), 20);
    assert_int_equal(take_all(budget, "acct_1", START + SECOND / 10), 2);
    assert_int_equal(take_all(budget, "acct_1", START + 10 * SECOND), 20);
    stripe_budget_free(budget);
}

static void the_platform_bounds_all_accounts_together(void **state)
{
    struct stripe_budget *budget = new_budget(30, 20);

    (void)state;
    assert_int_equal(take_all(budget, "acct_1", START), 20);
    assert_int_equal(take_all(budget, "acct_2", START), 10);
    assert_int_equal(take_all(budget, "acct_3", START), 0);
    /* what the platform refused was not taken from the account */
    assert_int_equal(take_all(budget, "acct_3", START + SECOND), 20);
    stripe_budget_free(budget);
}

static void a_limited_account_has_half_for_a_minute(void **state)
{
    struct stripe_budget *budget = new_budget(1000, 20);

    (void)state;
    stripe_budget_slow(budget, "acct_1", false, START);
    assert_int_equal(take_all(budget, "acct_1", START), 10);
    assert_int_equal(take_all(budget, "acct_2", START), 20);
    assert_int_equal(take_all(budget, "acct_1", START + 61 * SECOND), 20);
    stripe_budget_slow(budget, "acct_1", true, START + 70 * SECOND);
    assert_int_equal(take_all(budget, "", START + 70 * SECOND), 20);
    assert_in_range(stripe_budget_take(budget, "acct_9", START + 70 * SECOND), 0, 0);
    stripe_budget_free(budget);
}

static struct stripe_budget *shared;
static _Atomic int taken;

static void *take_some(void *user)
{
    (void)user;
    for (int i = 0; i < 200; i++) {
        atomic_fetch_add(&taken, stripe_budget_take(shared, "acct_1", START) == 0);
    }
    return NULL;
}

static void threads_share_one_budget(void **state)
{
    pthread_t threads[4];

    (void)state;
    shared = new_budget(1000, 100);
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, take_some, NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&taken), 100);
    stripe_budget_free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_has_a_second_of_tokens_and_gets_them_back),
        cmocka_unit_test(the_platform_bounds_all_accounts_together),
        cmocka_unit_test(a_limited_account_has_half_for_a_minute),
        cmocka_unit_test(threads_share_one_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
