/* The catalogue on a real database: what two callers at once, and a publication under way, may do.
 */

#include <pthread.h>

#include "organization_fixture.h"
#include "services/plan_versions.h"
#include "services/plans.h"
#include "services/prices.h"

#define CALLERS 4

/* One call of one caller, in a transaction of its own. */
struct work {
    struct organization_fixture *fixture;
    int number; /* of the caller */
    struct id plan_id;
    struct status status;
    struct status (*call)(struct ctx *cx, struct tx *tx, struct work *work);
    struct plan plan;
    struct plan_version version;
};

static struct status work_in_tx(struct ctx *cx, struct tx *tx, void *user)
{
    struct work *work = user;

    return work->call(cx, tx, work);
}

static void act(const struct organization_fixture *fixture, struct ctx *cx)
{
    cx->caller = (struct caller){
        .org_id = fixture->founding.organization.org_id + 1,
        .org = fixture->founding.organization.organization_id,
        .kind = KEY_SECRET,
        .actor = "cli",
    };
}

static struct status run(struct ctx *cx, struct work *work)
{
    act(work->fixture, cx);
    return tx_run(cx, work->fixture->services.db, work_in_tx, work);
}

static void *run_in_thread(void *user)
{
    TEST_CALL(call);
    struct work *work = user;
    const struct status status = run(&call.cx, work);

    work->status = (struct status){status.code, NULL}; /* its texts die with the arena */
    return NULL;
}

/* How many of the callers came through. */
static int run_at_once(struct work *works)
{
    pthread_t threads[CALLERS];
    int succeeded = 0;

    for (int i = 0; i < CALLERS; i++) {
        works[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, run_in_thread, &works[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        succeeded += works[i].status.code == CODE_OK ? 1 : 0;
    }
    return succeeded;
}

static struct price price_of(enum billing_interval interval)
{
    return (struct price){
        .key = "",
        .name = "",
        .model = PRICE_FLAT,
        .currency = "",
        .amount_currency = "",
        .interval = interval,
        .interval_count = 1,
        .meter_key = "",
        .has_unit = true,
        .unit = {0, ""},
        .quantity_min = 1,
        .metadata = "{}",
        .stripe_price_id = "",
    };
}

static struct status create_plan(struct ctx *cx, struct tx *tx, struct work *work)
{
    struct price prices[3] = {
        price_of(INTERVAL_YEAR), price_of(INTERVAL_DAY), price_of(INTERVAL_MONTH)};
    const struct plan_input input = {
        .plan =
            {
                .key = "pro",
                .name = "Pro",
                .description = "",
                .metadata = "{}",
                .stripe_product_id = "",
            },
        .prices = prices,
        .price_count = ARRAY_LEN(prices),
    };

    return plans_create(cx, tx, &input, &work->plan, &work->version);
}

static struct status create_draft(struct ctx *cx, struct tx *tx, struct work *work)
{
    return plan_versions_create(cx, tx, &work->plan_id, 0, "", &work->version);
}

static struct status delete_draft(struct ctx *cx, struct tx *tx, struct work *work)
{
    return plan_versions_delete(cx, tx, &work->plan_id, work->number);
}

static struct status add_price(struct ctx *cx, struct tx *tx, struct work *work)
{
    const struct price input = price_of(INTERVAL_WEEK);
    struct price price;

    return prices_create(cx, tx, &work->plan_id, 0, &input, &price);
}

static void make_plan(struct organization_fixture *fixture, struct work *ret_work)
{
    *ret_work = (struct work){.fixture = fixture, .call = create_plan};
    test_must(run(&fixture->cx, ret_work));
    ret_work->plan_id = ret_work->plan.plan_id;
}

static void set_state(const char *state)
{
    TEST_CALL(call);

    test_sql(arena_printf(
        &call.arena, "UPDATE plan_versions SET state = '%s', published_at = now();", state));
    if (strcmp(state, "PUBLISHED") == 0) {
        test_sql("UPDATE plans SET published_version = latest_version");
    }
}

static void prices_keep_the_order_in_which_they_were_given(void **state)
{
    struct organization_fixture *fixture = *state;
    struct work work;

    make_plan(fixture, &work);
    assert_int_equal(work.version.price_count, 3);
    assert_int_equal(work.version.prices[0].interval, INTERVAL_YEAR);
    assert_int_equal(work.version.prices[2].interval, INTERVAL_MONTH);
    assert_string_equal(work.version.prices[0].currency, "EUR");
    set_state("PUBLISHED");
    work.call = create_draft;
    test_must(run(&fixture->cx, &work));
    assert_int_equal(work.version.number, 2);
    assert_int_equal(work.version.price_count, 3);
    assert_int_equal(work.version.prices[0].interval, INTERVAL_YEAR);
    assert_int_equal(work.version.prices[1].interval, INTERVAL_DAY);
}

static void what_is_being_published_is_not_changed(void **state)
{
    struct organization_fixture *fixture = *state;
    struct work work;

    make_plan(fixture, &work);
    set_state("PUBLISHING");
    work.call = add_price;
    assert_int_equal(status_reason(run(&fixture->cx, &work)), REASON_PLAN_VERSION_FROZEN);
    work.call = delete_draft;
    work.number = 1;
    assert_int_equal(status_reason(run(&fixture->cx, &work)), REASON_PLAN_VERSION_FROZEN);
    work.call = create_draft;
    assert_int_equal(status_reason(run(&fixture->cx, &work)), REASON_PLAN_DRAFT_EXISTS);
}

static void a_plan_can_lose_its_only_draft_and_get_a_new_one(void **state)
{
    struct organization_fixture *fixture = *state;
    struct work work;

    make_plan(fixture, &work);
    work.call = delete_draft;
    work.number = 1;
    test_must(run(&fixture->cx, &work));
    work.call = create_draft;
    test_must(run(&fixture->cx, &work));
    assert_int_equal(work.version.number, 2);
    assert_int_equal(work.version.price_count, 0);
}

static void of_callers_at_once_one_makes_the_next_draft(void **state)
{
    struct work works[CALLERS];
    struct work plan;

    make_plan(*state, &plan);
    set_state("PUBLISHED");
    for (int i = 0; i < CALLERS; i++) {
        works[i] = (struct work){.fixture = *state, .plan_id = plan.plan_id, .call = create_draft};
    }
    assert_int_equal(run_at_once(works), 1);
    assert_int_equal(test_number("SELECT count(*) FROM plan_versions"), 2);
    for (int i = 0; i < CALLERS; i++) {
        works[i].call = add_price;
    }
    assert_int_equal(run_at_once(works), 1);
    assert_int_equal(test_number("SELECT count(*) FROM prices WHERE interval_unit = 'WEEK'"), 1);
}

static int stop(void **state)
{
    test_sql("TRUNCATE organizations, event_log CASCADE");
    return organization_fixture_teardown(state);
}

#define DRAFT_TEST(function) \
    cmocka_unit_test_setup_teardown(function, organization_fixture_setup, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRAFT_TEST(prices_keep_the_order_in_which_they_were_given),
        DRAFT_TEST(what_is_being_published_is_not_changed),
        DRAFT_TEST(a_plan_can_lose_its_only_draft_and_get_a_new_one),
        DRAFT_TEST(of_callers_at_once_one_makes_the_next_draft),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, organization_fixture_schema, test_schema_drop);
}
