#include "services/customers.h"

#include <pthread.h>

#include "organization_fixture.h"

#define CALLERS 4

/* One call of one caller, in a transaction of its own. */
struct work {
    struct organization_fixture *fixture;
    const char *external_id;
    struct status status;
    struct customer customer;
};

static struct status create(struct ctx *cx, struct tx *tx, void *user)
{
    struct work *work = user;
    const struct customer input = {
        .external_id = work->external_id,
        .name = "",
        .email = "",
        .phone = "",
        .address = "",
        .locale = "",
        .currency = "",
        .time_zone = "",
        .tax = TAX_EXEMPTION_NONE,
        .metadata = "{}",
    };

    return customers_create(cx, &work->fixture->services, tx, &input, &work->customer);
}

static struct status archive(struct ctx *cx, struct tx *tx, void *user)
{
    struct work *work = user;
    const struct customer_key key = {.external_id = work->external_id};

    return customers_archive(cx, &work->fixture->services, tx, &key, &work->customer);
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

static void *create_in_thread(void *user)
{
    TEST_CALL(call);
    struct work *work = user;
    struct status status;

    act(work->fixture, &call.cx);
    status = tx_run(&call.cx, work->fixture->services.db, create, work);
    work->status = (struct status){status.code, NULL}; /* its texts die with the arena */
    return NULL;
}

static void of_callers_at_once_one_gets_the_external_id(void **state)
{
    struct work works[CALLERS];
    pthread_t threads[CALLERS];
    int succeeded = 0;

    for (size_t i = 0; i < CALLERS; i++) {
        works[i] = (struct work){.fixture = *state, .external_id = "user-17"};
        assert_int_equal(pthread_create(&threads[i], NULL, create_in_thread, &works[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        succeeded += works[i].status.code == CODE_OK ? 1 : 0;
        assert_true(works[i].status.code == CODE_OK || works[i].status.code == CODE_ALREADY_EXISTS);
    }
    assert_int_equal(succeeded, 1);
    assert_int_equal(test_number("SELECT count(*) FROM customers"), 1);
    assert_int_equal(
        test_number("SELECT count(*) FROM event_log WHERE type = 'CUSTOMER_CREATED'"), 1);
}

static void who_has_no_external_id_is_never_the_same(void **state)
{
    struct organization_fixture *fixture = *state;
    struct work work = {.fixture = fixture, .external_id = ""};

    act(fixture, &fixture->cx);
    test_must(tx_run(&fixture->cx, fixture->services.db, create, &work));
    test_must(tx_run(&fixture->cx, fixture->services.db, create, &work));
    assert_int_equal(test_number("SELECT count(*) FROM customers"), 2);
}

static void archiving_raises_the_state_that_caches_compare(void **state)
{
    struct organization_fixture *fixture = *state;
    struct work work = {.fixture = fixture, .external_id = "user-17"};

    act(fixture, &fixture->cx);
    test_must(tx_run(&fixture->cx, fixture->services.db, create, &work));
    test_must(tx_run(&fixture->cx, fixture->services.db, archive, &work));
    assert_int_equal(test_number("SELECT state_version FROM entitlement_heads"), 1);
    test_must(tx_run(&fixture->cx, fixture->services.db, archive, &work));
    assert_int_equal(test_number("SELECT state_version FROM entitlement_heads"), 1);
}

static int stop(void **state)
{
    test_sql("TRUNCATE organizations, event_log CASCADE");
    return organization_fixture_teardown(state);
}

#define CUSTOMERS_TEST(function) \
    cmocka_unit_test_setup_teardown(function, organization_fixture_setup, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUSTOMERS_TEST(of_callers_at_once_one_gets_the_external_id),
        CUSTOMERS_TEST(who_has_no_external_id_is_never_the_same),
        CUSTOMERS_TEST(archiving_raises_the_state_that_caches_compare),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, organization_fixture_schema, test_schema_drop);
}
