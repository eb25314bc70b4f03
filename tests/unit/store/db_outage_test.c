/* What callers see while the server restarts, hangs or waits for a standby that is not there. */

#include "cluster.h"
#include "database.h"
#include "store/db.h"
#include "store/db_listen.h"

static const struct sql one = {"one", "SELECT 1"};
static const struct sql insert = {"insert", "INSERT INTO item VALUES ($1)"};

static struct cluster cluster;

static int cluster_setup(void **state)
{
    TEST_CALL(call);
    struct db *db = NULL;

    (void)state;
    db = test_db_at(cluster.url, 1);
    test_must(test_try(&call.cx, db, "CREATE TABLE item (id bigint)"));
    db_free(db);
    return 0;
}

static struct status ask(struct db *db, int64_t deadline_ms)
{
    TEST_CALL(call);
    AUTO_ROWS rows = NULL;
    struct status status;

    call.cx.deadline_us = deadline_in_ms(deadline_ms);
    status = db_query(&call.cx, db, &one, &NO_PARAMS, &rows);
    status.error = NULL; /* gone with the arena */
    return status;
}

static bool answers_within(struct db *db, int64_t ms)
{
    const int64_t until_us = deadline_in_ms(ms);

    while (monotonic_us() < until_us) {
        if (ask(db, 1000).code == CODE_OK) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

static void a_restart_is_survived(void **state)
{
    struct db *db = test_db_at(cluster.url, 2);
    int64_t started_us = 0;

    (void)state;
    assert_int_equal(ask(db, 1000).code, CODE_OK);
    assert_true(cluster_ctl(&cluster, "-m fast restart"));
    assert_int_equal(ask(db, 1000).code, CODE_OK);

    assert_true(cluster_ctl(&cluster, "-m immediate stop"));
    assert_int_equal(ask(db, 1000).code, CODE_UNAVAILABLE);
    started_us = monotonic_us();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ask(db, 1000).code, CODE_UNAVAILABLE);
    }
    assert_true(monotonic_us() - started_us < 3000000);
    assert_true(cluster_ctl(&cluster, "start"));
    assert_true(answers_within(db, 2500)); /* the longest back-off is two seconds */
    db_free(db);
}

static void a_listener_survives_a_restart(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db_at(cluster.url, 1);
    struct db_listener *listener = NULL;
    bool woken = false;

    (void)state;
    test_must(db_listener_new(&call.cx, db, "test_channel", &listener));
    test_must(db_listener_wait(&call.cx, listener, 1000, &woken));
    assert_true(cluster_ctl(&cluster, "-m fast restart"));
    assert_int_equal(db_listener_wait(&call.cx, listener, 1000, &woken).code, CODE_UNAVAILABLE);
    woken = false;
    test_must(db_listener_wait(&call.cx, listener, 3000, &woken));
    assert_true(woken);
    db_listener_free(listener);
    db_free(db);
}

/* Neither the statement nor the cancel nor a new connection is answered. */
static void a_frozen_server_holds_nobody_for_long(void **state)
{
    struct db *db = test_db_at(cluster.url, 1);
    int64_t started_us = 0;

    (void)state;
    assert_int_equal(ask(db, 1000).code, CODE_OK);
    cluster_signal(&cluster, "STOP");
    started_us = monotonic_us();
    assert_int_equal(ask(db, 200).code, CODE_DEADLINE_EXCEEDED);
    assert_in_range(monotonic_us() - started_us, 200000, 5000000);
    assert_int_equal(ask(db, 5000).code, CODE_UNAVAILABLE); /* connecting takes a second at most */
    assert_in_range(monotonic_us() - started_us, 1000000, 9000000);
    started_us = monotonic_us();
    assert_int_equal(ask(db, 5000).code, CODE_UNAVAILABLE); /* the back-off */
    assert_true(monotonic_us() - started_us < 4000000);
    cluster_signal(&cluster, "CONT");
    assert_true(answers_within(db, 4000));
    db_free(db);
}

static void a_frozen_server_is_given_up_without_a_deadline_too(void **state)
{
    TEST_CALL(call);
    const struct db_config config = {
        .url = cluster.url,
        .connections_max = 1,
        .acquire_ms_max = 100,
        .statement_ms_max = 200,
        .application_name = "billingos-test",
    };
    struct db *db = NULL;
    AUTO_ROWS rows = NULL;
    int64_t started_us = 0;

    (void)state;
    test_must(db_new(&call.cx, &config, &db));
    test_must(db_ping(&call.cx, db));
    cluster_signal(&cluster, "STOP");
    started_us = monotonic_us();
    assert_int_equal(
        status_reason(db_query(&call.cx, db, &one, &NO_PARAMS, &rows)),
        REASON_DATABASE_UNAVAILABLE);
    assert_in_range(monotonic_us() - started_us, 2000000, 12000000);
    cluster_signal(&cluster, "CONT");
    assert_true(answers_within(db, 4000));
    db_free(db);
}

static struct status insert_in_transaction(struct ctx *cx, struct db *db, int64_t id)
{
    struct params params = {.count = 0};
    AUTO_TX tx = NULL;

    params_i64(&params, id);
    TRY(tx_begin(cx, db, &tx));
    TRY(tx_execute(cx, tx, &insert, &params, NULL));
    return tx_commit(cx, tx);
}

/* The server answers success, with a warning. For us that is an outcome that nobody knows. */
static void a_commit_that_no_standby_has_is_not_acknowledged(void **state)
{
    struct db *db = test_db_at(cluster.url, 1);
    TEST_CALL(call);
    struct params params = {.count = 0};
    struct status status;

    (void)state;
    test_must(test_try(&call.cx, db, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"));
    assert_true(cluster_ctl(&cluster, "reload"));
    usleep(200000);

    call.cx.deadline_us = deadline_in_ms(200);
    status = insert_in_transaction(&call.cx, db, 1);
    assert_int_equal(status_reason(status), REASON_DATABASE_UNAVAILABLE);
    assert_non_null(strstr(status_message(status), "standby"));
    call.cx.deadline_us = deadline_in_ms(200);
    params_i64(&params, 2);
    status = db_execute(&call.cx, db, &insert, &params, NULL);
    assert_int_equal(status_reason(status), REASON_DATABASE_UNAVAILABLE);

    call.cx.deadline_us = INT64_MAX;
    test_must(test_try(&call.cx, db, "ALTER SYSTEM RESET synchronous_standby_names"));
    assert_true(cluster_ctl(&cluster, "reload"));
    usleep(200000);
    test_must(insert_in_transaction(&call.cx, db, 3));
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_is_survived),
        cmocka_unit_test(a_listener_survives_a_restart),
        cmocka_unit_test(a_frozen_server_holds_nobody_for_long),
        cmocka_unit_test(a_frozen_server_is_given_up_without_a_deadline_too),
        cmocka_unit_test(a_commit_that_no_standby_has_is_not_acknowledged),
    };
    int failed = 0;

    if (!cluster_create(&cluster)) {
        print_message("skipped: there is no PostgreSQL to start a cluster with\n");
        return TEST_SKIPPED;
    }
    failed = cmocka_run_group_tests(tests, cluster_setup, NULL);
    cluster_remove(&cluster);
    return failed;
}
