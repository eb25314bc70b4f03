#include "store/db_listen.h"

#include "database.h"

static struct db_listener *listener_new(struct ctx *cx, struct db *db)
{
    struct db_listener *listener = NULL;

    test_must(db_listener_new(cx, db, "test_channel", &listener));
    return listener;
}

static void a_notification_wakes_and_silence_does_not(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct db_listener *listener = listener_new(&call.cx, db);
    bool woken = false;

    (void)state;
    assert_false(db_listener_connected(listener));
    test_must(db_listener_wait(&call.cx, listener, 1000, &woken));
    assert_true(woken); /* connected: what was before must be read */
    assert_true(db_listener_connected(listener));
    test_must(db_listener_wait(&call.cx, listener, 50, &woken));
    assert_false(woken);
    test_sql("SELECT pg_notify('test_channel', 'x')");
    test_must(db_listener_wait(&call.cx, listener, 1000, &woken));
    assert_true(woken);
    test_sql("SELECT pg_notify('another_channel', 'x')");
    test_must(db_listener_wait(&call.cx, listener, 50, &woken));
    assert_false(woken);
    db_listener_free(listener);
    db_free(db);
}

static void a_lost_connection_is_said_and_mended(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct db_listener *listener = listener_new(&call.cx, db);
    bool woken = false;

    (void)state;
    test_must(db_listener_wait(&call.cx, listener, 1000, &woken));
    test_sql("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
             " WHERE query = 'LISTEN test_channel'");
    assert_int_equal(
        status_reason(db_listener_wait(&call.cx, listener, 1000, &woken)),
        REASON_DATABASE_UNAVAILABLE);
    assert_false(db_listener_connected(listener));
    woken = false;
    test_must(db_listener_wait(&call.cx, listener, 1000, &woken));
    assert_true(woken);
    test_sql("SELECT pg_notify('test_channel', 'x')");
    test_must(db_listener_wait(&call.cx, listener, 1000, &woken));
    assert_true(woken);
    db_listener_free(listener);
    db_free(db);
}

static void an_unreachable_database_is_not_asked_all_the_time(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db_at("postgresql://127.0.0.1:1/x", 1);
    struct db_listener *listener = listener_new(&call.cx, db);
    const int64_t until_us = deadline_in_ms(700);
    bool woken = false;
    int tries = 0;

    (void)state;
    while (monotonic_us() < until_us) {
        assert_int_equal(
            status_reason(db_listener_wait(&call.cx, listener, 1000, &woken)),
            REASON_DATABASE_UNAVAILABLE);
        tries++;
    }
    assert_in_range(tries, 1, 12);
    db_listener_free(listener);
    db_free(db);
}

static void whoever_waits_can_be_called_off(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct db_listener *listener = listener_new(&call.cx, db);
    bool woken = false;

    (void)state;
    call.cx.canceller = &call.canceller;
    test_must(db_listener_wait(&call.cx, listener, 1000, &woken));
    atomic_store(&call.canceller.gone, true);
    assert_int_equal(
        status_reason(db_listener_wait(&call.cx, listener, 1000, &woken)), REASON_CANCELLED);
    atomic_store(&call.canceller.gone, false);
    call.cx.deadline_us = deadline_in_ms(50);
    assert_int_equal(
        status_reason(db_listener_wait(&call.cx, listener, 1000, &woken)),
        REASON_DEADLINE_EXCEEDED);
    assert_true(db_listener_connected(listener));
    db_listener_free(listener);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notification_wakes_and_silence_does_not),
        cmocka_unit_test(a_lost_connection_is_said_and_mended),
        cmocka_unit_test(an_unreachable_database_is_not_asked_all_the_time),
        cmocka_unit_test(whoever_waits_can_be_called_off),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, test_schema_create, test_schema_drop);
}
