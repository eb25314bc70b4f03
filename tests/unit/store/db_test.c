#include "store/db.h"

#include <pthread.h>

#include "base/heap.h"
#include "database.h"

static const struct sql one = {"one", "SELECT 1"};
static const struct sql backend = {"backend", "SELECT pg_backend_pid()"};
static const struct sql sleep_long = {"sleep_long", "SELECT pg_sleep(20)"};
static const struct sql sleep_short = {"sleep_short", "SELECT pg_sleep(0.15)"};

static int64_t query_i64(struct ctx *cx, struct db *db, const struct sql *sql)
{
    AUTO_ROWS rows = NULL;

    test_must(db_query(cx, db, sql, &NO_PARAMS, &rows));
    return row_i64(rows, 0, 0);
}

static void a_statement_answers(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(2);

    (void)state;
    test_must(db_ping(&call.cx, db));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(query_i64(&call.cx, db, &one), 1);
    }
    db_free(db);
}

static void a_call_that_may_not_block_is_sent_to_a_worker(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    AUTO_ROWS rows = NULL;
    AUTO_TX tx = NULL;

    (void)state;
    call.cx.may_block = false;
    assert_int_equal(
        status_reason(db_query(&call.cx, db, &one, &NO_PARAMS, &rows)), REASON_WOULD_BLOCK);
    assert_int_equal(status_reason(tx_begin(&call.cx, db, &tx)), REASON_WOULD_BLOCK);
    db_free(db);
}

static void a_deadline_ends_the_statement_and_keeps_the_connection(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const int64_t pid = query_i64(&call.cx, db, &backend);
    const int64_t started_us = monotonic_us();
    AUTO_ROWS rows = NULL;

    (void)state;
    call.cx.deadline_us = deadline_in_ms(100);
    assert_int_equal(
        status_reason(db_query(&call.cx, db, &sleep_long, &NO_PARAMS, &rows)),
        REASON_DEADLINE_EXCEEDED);
    assert_in_range(monotonic_us() - started_us, 90000, 5000000);
    call.cx.deadline_us = INT64_MAX;
    assert_int_equal(query_i64(&call.cx, db, &backend), pid);
    db_free(db);
}

static void *give_up_soon(void *user)
{
    struct canceller *canceller = user;
    int wake_fd = -1;

    usleep(100000);
    atomic_store(&canceller->gone, true);
    wake_fd = atomic_load(&canceller->wake_fd);
    if (wake_fd >= 0) {
        const uint64_t once = 1;

        assert_int_equal(write(wake_fd, &once, sizeof once), sizeof once);
    }
    return NULL;
}

static void a_peer_that_gives_up_ends_the_statement_and_keeps_the_connection(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const int64_t pid = query_i64(&call.cx, db, &backend);
    const int64_t started_us = monotonic_us();
    pthread_t thread;
    AUTO_ROWS rows = NULL;

    (void)state;
    call.cx.canceller = &call.canceller;
    pthread_create(&thread, NULL, give_up_soon, &call.canceller);
    assert_int_equal(
        status_reason(db_query(&call.cx, db, &sleep_long, &NO_PARAMS, &rows)), REASON_CANCELLED);
    pthread_join(thread, NULL);
    assert_in_range(monotonic_us() - started_us, 90000, 5000000);
    assert_int_equal(atomic_load(&call.canceller.wake_fd), -1);
    assert_int_equal(
        status_reason(db_query(&call.cx, db, &one, &NO_PARAMS, &rows)), REASON_CANCELLED);
    call.cx.canceller = NULL;
    assert_int_equal(query_i64(&call.cx, db, &backend), pid);
    db_free(db);
}

static void the_server_ends_what_takes_too_long(void **state)
{
    TEST_CALL(call);
    const struct db_config config = {
        .url = test_database_url(),
        .connections_max = 1,
        .acquire_ms_max = 100,
        .statement_ms_max = 200,
        .application_name = "billingos-test",
    };
    struct db *db = NULL;
    struct status status;
    AUTO_ROWS rows = NULL;

    (void)state;
    test_must(db_new(&call.cx, &config, &db));
    status = db_query(&call.cx, db, &sleep_long, &NO_PARAMS, &rows);
    assert_int_equal(status_reason(status), REASON_DEADLINE_EXCEEDED);
    assert_string_equal(db_sqlstate(status), "57014");
    assert_int_equal(query_i64(&call.cx, db, &one), 1);
    db_free(db);
}

static void a_full_pool_is_waited_for_and_then_refused(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct status status;
    int64_t started_us = 0;
    AUTO_ROWS rows = NULL;
    AUTO_TX tx = NULL;

    (void)state;
    test_must(tx_begin(&call.cx, db, &tx));
    started_us = monotonic_us();
    status = db_query(&call.cx, db, &one, &NO_PARAMS, &rows);
    assert_int_equal(status_reason(status), REASON_SERVER_OVERLOADED);
    assert_true(status.error->retry_ms > 0);
    assert_in_range(monotonic_us() - started_us, 290000, 5000000);
    call.cx.deadline_us = deadline_in_ms(50);
    status = db_query(&call.cx, db, &one, &NO_PARAMS, &rows);
    assert_int_equal(status_reason(status), REASON_DEADLINE_EXCEEDED);
    call.cx.deadline_us = INT64_MAX;
    tx_end(&tx);
    assert_int_equal(query_i64(&call.cx, db, &one), 1);
    db_free(db);
}

struct crowd {
    struct db *db;
    _Atomic int succeeded;
};

static void *one_of_the_crowd(void *user)
{
    struct crowd *crowd = user;
    TEST_CALL(call);
    AUTO_ROWS rows = NULL;

    if (db_query(&call.cx, crowd->db, &sleep_short, &NO_PARAMS, &rows).code == CODE_OK) {
        atomic_fetch_add(&crowd->succeeded, 1);
    }
    return NULL;
}

static void a_waiter_gets_the_connection_that_comes_back(void **state)
{
    struct crowd crowd = {.db = test_db(2)};
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i], NULL, one_of_the_crowd, &crowd);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&crowd.succeeded), 4);
    db_free(crowd.db);
}

static void terminate(int64_t pid)
{
    TEST_CALL(call);

    test_sql(arena_printf(&call.arena, "SELECT pg_terminate_backend(%" PRId64 ", 2000)", pid));
}

static void a_connection_that_was_closed_while_idle_is_replaced_unseen(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const int64_t pid = query_i64(&call.cx, db, &backend);

    (void)state;
    terminate(pid);
    assert_int_not_equal(query_i64(&call.cx, db, &backend), pid);
    db_free(db);
}

static void *terminate_soon(void *user)
{
    const int64_t *pid = user;

    usleep(100000);
    terminate(*pid);
    return NULL;
}

static void a_connection_that_is_lost_in_a_statement_is_reported_once(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    int64_t pid = query_i64(&call.cx, db, &backend);
    struct status status;
    pthread_t thread;
    AUTO_ROWS rows = NULL;

    (void)state;
    pthread_create(&thread, NULL, terminate_soon, &pid);
    status = db_query(&call.cx, db, &sleep_long, &NO_PARAMS, &rows);
    pthread_join(thread, NULL);
    assert_int_equal(status_reason(status), REASON_DATABASE_UNAVAILABLE);
    assert_true(status.error->retry_ms > 0);
    assert_int_equal(query_i64(&call.cx, db, &one), 1);
    db_free(db);
}

static void an_unreachable_database_is_said_at_once(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db_at("postgresql://127.0.0.1:1/x", 4);
    struct status status = db_ping(&call.cx, db);
    int64_t started_us = 0;

    (void)state;
    assert_int_equal(status_reason(status), REASON_DATABASE_UNAVAILABLE);
    assert_non_null(strstr(status_message(status), "127.0.0.1:1"));
    started_us = monotonic_us();
    for (int i = 0; i < 1000; i++) {
        AUTO_ROWS rows = NULL;

        status = db_query(&call.cx, db, &one, &NO_PARAMS, &rows);
        assert_int_equal(status_reason(status), REASON_DATABASE_UNAVAILABLE);
        assert_true(status.error->retry_ms > 0);
        assert_null(strstr(status_message(status), "127.0.0.1"));
    }
    assert_true(monotonic_us() - started_us < 2000000);
    db_free(db);
}

static void a_host_that_refuses_is_passed_over(void **state)
{
    TEST_CALL(call);
    const char *rest = strchr(strstr(test_database_url(), "://") + 3, '@');
    const char *host = rest == NULL ? strstr(test_database_url(), "://") + 3 : rest + 1;
    struct db *db = NULL;

    (void)state;
    if (host[0] == '/' || host[0] == '?') {
        skip(); /* a socket directory cannot be put into a list like this */
    }
    db = test_db_at(
        arena_printf(
            &call.arena,
            "%.*s127.0.0.1:1,%s",
            (int)(host - test_database_url()),
            test_database_url(),
            host),
        1);
    assert_int_equal(query_i64(&call.cx, db, &one), 1);
    db_free(db);
}

static void a_read_only_host_is_refused(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db_at(
        arena_printf(
            &call.arena,
            "%s%coptions=-cdefault_transaction_read_only%%3Don",
            test_database_url(),
            strchr(test_database_url(), '?') == NULL ? '?' : '&'),
        1);
    struct status status = db_ping(&call.cx, db);

    (void)state;
    assert_int_equal(status_reason(status), REASON_DATABASE_UNAVAILABLE);
    assert_non_null(strstr(status_message(status), "read-only"));
    db_free(db);
}

static void a_url_that_cannot_be_read_is_explained(void **state)
{
    static const char *const urls[] = {
        "postgresql://h:1,i:2,j:3,k:4,l:5,m:6,n:7,o:8,p:9/x",
        "postgresql://h/x?no_such_option=1",
        "host=a,b port=1,2,3",
        "host='",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        TEST_CALL(call);
        const struct db_config config = {
            .url = urls[i], .connections_max = 1, .application_name = "x"};
        struct db *db = NULL;
        const struct status status = db_new(&call.cx, &config, &db);

        assert_int_equal(status_reason(status), REASON_FIELD_INVALID);
        assert_non_null(strstr(status_message(status), "cannot read the database URL"));
    }
}

static void a_statement_is_prepared_again_after_a_migration(void **state)
{
    static const struct sql read = {"read", "SELECT value FROM changing"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    AUTO_ROWS rows = NULL;
    AUTO_TX tx = NULL;
    struct status status;

    (void)state;
    test_sql("CREATE TABLE changing (value int NOT NULL)");
    test_sql("INSERT INTO changing VALUES (7)");
    assert_int_equal(query_i64(&call.cx, db, &read), 7);
    test_sql("ALTER TABLE changing ALTER COLUMN value TYPE bigint");
    assert_int_equal(query_i64(&call.cx, db, &read), 7);
    test_must(test_try(&call.cx, db, "DEALLOCATE ALL"));
    assert_int_equal(query_i64(&call.cx, db, &read), 7);
    test_sql("ALTER TABLE changing ALTER COLUMN value TYPE int");
    test_must(tx_begin(&call.cx, db, &tx));
    status = tx_query(&call.cx, tx, &read, &NO_PARAMS, &rows);
    assert_int_equal(status_reason(status), REASON_TRANSACTION_CONFLICT);
    tx_end(&tx);
    assert_int_equal(query_i64(&call.cx, db, &read), 7);
    db_free(db);
}

static void violations_are_told_by_their_constraint(void **state)
{
    static const struct sql insert = {"insert", "INSERT INTO parent VALUES ($1)"};
    static const struct sql insert_child = {"insert_child", "INSERT INTO child VALUES ($1)"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct params params = {.count = 0};
    struct status status;

    (void)state;
    test_sql("CREATE TABLE parent (id bigint CONSTRAINT parent_key PRIMARY KEY CHECK (id < 9))");
    test_sql("CREATE TABLE child (id bigint CONSTRAINT child_parent REFERENCES parent)");
    params_i64(&params, 1);
    test_must(db_execute(&call.cx, db, &insert, &params, NULL));
    status = db_execute(&call.cx, db, &insert, &params, NULL);
    assert_true(db_unique_violation(status, "parent_key"));
    assert_true(db_unique_violation(status, NULL));
    assert_false(db_unique_violation(status, "another_key"));
    assert_false(db_foreign_key_violation(status, NULL));
    params.count = 0;
    params_i64(&params, 2);
    status = db_execute(&call.cx, db, &insert_child, &params, NULL);
    assert_true(db_foreign_key_violation(status, "child_parent"));
    assert_false(db_unique_violation(status, NULL));
    assert_false(db_unique_violation(STATUS_OK, NULL));
    params.count = 0;
    params_i64(&params, 10);
    status = db_execute(&call.cx, db, &insert, &params, NULL);
    assert_int_equal(status_reason(status), REASON_FIELD_INVALID);
    db_free(db);
}

/* The error comes with the Sync, after the statement itself has succeeded. */
static void a_violation_that_is_found_at_the_commit_is_not_missed(void **state)
{
    static const struct sql insert = {"insert", "INSERT INTO later VALUES ($1)"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct params params = {.count = 0};

    (void)state;
    test_sql("CREATE TABLE later (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    params_i64(&params, 1);
    test_must(db_execute(&call.cx, db, &insert, &params, NULL));
    for (int i = 0; i < 2; i++) {
        AUTO_TX tx = NULL;

        assert_true(
            db_unique_violation(db_execute(&call.cx, db, &insert, &params, NULL), "later_id_key"));
        test_must(tx_begin(&call.cx, db, &tx));
        test_must(tx_execute(&call.cx, tx, &insert, &params, NULL));
        assert_true(db_unique_violation(tx_commit(&call.cx, tx), "later_id_key"));
        tx_end(&tx);
        assert_int_equal(query_i64(&call.cx, db, &one), 1);
    }
    db_free(db);
}

static void megabytes_go_both_ways_at_once(void **state)
{
    static const struct sql echo = {"echo", "SELECT repeat($1::text, 3), $1::text"};
    const size_t len = (size_t)1024 * 1024;
    TEST_CALL(call);
    struct db *db = test_db(1);
    char *text = arena_try_alloc(&call.arena, len + 1);
    struct params params = {.count = 0};
    AUTO_ROWS rows = NULL;

    (void)state;
    memset(text, 'x', len);
    params_text(&params, text);
    test_must(db_query(&call.cx, db, &echo, &params, &rows));
    assert_int_equal(strlen(row_text(&call.cx, rows, 0, 0)), 3 * len);
    assert_int_equal(strlen(row_text(&call.cx, rows, 0, 1)), len);
    db_free(db);
}

static struct status open_and_ask(struct ctx *cx, const struct db_config *config)
{
    struct db *db = NULL;
    struct status status = db_new(cx, config, &db);
    AUTO_ROWS rows = NULL;

    if (status.code == CODE_OK) {
        status = db_query(cx, db, &one, &NO_PARAMS, &rows);
    }
    db_free(db);
    return status;
}

static void an_allocation_that_fails_is_reported_and_leaks_nothing(void **state)
{
    const struct db_config config = {
        .url = test_database_url(),
        .connections_max = 2,
        .acquire_ms_max = 100,
        .application_name = "billingos-test",
    };
    enum code code = CODE_UNKNOWN;
    long allowed = 0;

    (void)state;
    for (; code != CODE_OK && allowed < 100; allowed++) {
        TEST_CALL(call);

        heap_fail_after(allowed);
        code = open_and_ask(&call.cx, &config).code;
        heap_fail_after(-1);
        assert_true(code == CODE_OK || code == CODE_RESOURCE_EXHAUSTED);
    }
    assert_in_range(allowed, 5, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_answers),
        cmocka_unit_test(a_call_that_may_not_block_is_sent_to_a_worker),
        cmocka_unit_test(a_deadline_ends_the_statement_and_keeps_the_connection),
        cmocka_unit_test(a_peer_that_gives_up_ends_the_statement_and_keeps_the_connection),
        cmocka_unit_test(the_server_ends_what_takes_too_long),
        cmocka_unit_test(a_full_pool_is_waited_for_and_then_refused),
        cmocka_unit_test(a_waiter_gets_the_connection_that_comes_back),
        cmocka_unit_test(a_connection_that_was_closed_while_idle_is_replaced_unseen),
        cmocka_unit_test(a_connection_that_is_lost_in_a_statement_is_reported_once),
        cmocka_unit_test(an_unreachable_database_is_said_at_once),
        cmocka_unit_test(a_host_that_refuses_is_passed_over),
        cmocka_unit_test(a_read_only_host_is_refused),
        cmocka_unit_test(a_url_that_cannot_be_read_is_explained),
        cmocka_unit_test(a_statement_is_prepared_again_after_a_migration),
        cmocka_unit_test(violations_are_told_by_their_constraint),
        cmocka_unit_test(a_violation_that_is_found_at_the_commit_is_not_missed),
        cmocka_unit_test(megabytes_go_both_ways_at_once),
        cmocka_unit_test(an_allocation_that_fails_is_reported_and_leaks_nothing),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, test_schema_create, test_schema_drop);
}
