#include "database.h"
#include "store/db.h"

static const struct sql insert = {"insert", "INSERT INTO item (id, amount) VALUES ($1, $2)"};
static const struct sql add = {"add", "UPDATE item SET amount = amount + $2 WHERE id = $1"};
static const struct sql amount = {"amount", "SELECT amount FROM item WHERE id = $1"};
static const struct sql snapshot = {"snapshot", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"};

static int table_create(void **state)
{
    test_schema_create(state);
    test_sql("CREATE TABLE item (id bigint PRIMARY KEY, amount bigint NOT NULL)");
    return 0;
}

static struct status insert_item(struct ctx *cx, struct tx *tx, int64_t id, int64_t value)
{
    struct params params = {.count = 0};

    params_i64(&params, id);
    params_i64(&params, value);
    return tx_execute(cx, tx, &insert, &params, NULL);
}

static struct status
add_to_item(struct ctx *cx, struct tx *tx, int64_t id, int64_t value, int64_t *ret_affected)
{
    struct params params = {.count = 0};

    params_i64(&params, id);
    params_i64(&params, value);
    return tx_execute(cx, tx, &add, &params, ret_affected);
}

static int64_t amount_of(struct ctx *cx, struct db *db, int64_t id)
{
    struct params params = {.count = 0};
    AUTO_ROWS rows = NULL;

    params_i64(&params, id);
    test_must(db_query(cx, db, &amount, &params, &rows));
    return rows_count(rows) == 0 ? -1 : row_i64(rows, 0, 0);
}

static void a_commit_keeps_and_an_end_without_commit_undoes(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    int64_t affected = 0;
    AUTO_TX tx = NULL;

    (void)state;
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(insert_item(&call.cx, tx, 1, 10));
    test_must(add_to_item(&call.cx, tx, 1, 5, &affected));
    assert_int_equal(affected, 1);
    test_must(tx_commit(&call.cx, tx));
    tx_end(&tx);
    assert_null(tx);
    assert_int_equal(amount_of(&call.cx, db, 1), 15);

    test_must(tx_begin(&call.cx, db, &tx));
    test_must(add_to_item(&call.cx, tx, 1, 100, NULL));
    tx_end(&tx);
    assert_int_equal(amount_of(&call.cx, db, 1), 15);
    db_free(db);
}

static void a_transaction_without_statements_asks_nobody(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    AUTO_TX tx = NULL;

    (void)state;
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(tx_commit(&call.cx, tx));
    tx_end(&tx);
    test_must(tx_begin(&call.cx, db, &tx));
    tx_end(&tx);
    test_must(db_ping(&call.cx, db));
    db_free(db);
}

static void queued_statements_run_with_the_commit(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    AUTO_TX tx = NULL;

    (void)state;
    test_must(tx_begin(&call.cx, db, &tx));
    for (int64_t id = 20; id < 40; id++) {
        struct params params = {.count = 0};

        params_i64(&params, id);
        params_i64(&params, id * 2);
        test_must(tx_queue_execute(&call.cx, tx, &insert, &params));
    }
    test_must(tx_commit(&call.cx, tx));
    tx_end(&tx);
    assert_int_equal(amount_of(&call.cx, db, 20), 40);
    assert_int_equal(amount_of(&call.cx, db, 39), 78);
    db_free(db);
}

static void a_queued_statement_that_fails_is_reported_and_undoes_all(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct status status;
    AUTO_TX tx = NULL;

    (void)state;
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(insert_item(&call.cx, tx, 50, 1));
    for (int i = 0; i < 3; i++) {
        struct params params = {.count = 0};

        params_i64(&params, 51);
        params_i64(&params, 1);
        test_must(tx_queue_execute(&call.cx, tx, &insert, &params));
    }
    status = tx_commit(&call.cx, tx);
    assert_true(db_unique_violation(status, "item_pkey"));
    tx_end(&tx);
    assert_int_equal(amount_of(&call.cx, db, 50), -1);
    assert_int_equal(amount_of(&call.cx, db, 51), -1);

    /* Never flushed at all. */
    test_must(tx_begin(&call.cx, db, &tx));
    for (int i = 0; i < 2; i++) {
        struct params params = {.count = 0};

        params_i64(&params, 52);
        params_i64(&params, 1);
        test_must(tx_queue_execute(&call.cx, tx, &insert, &params));
    }
    tx_end(&tx);
    assert_int_equal(amount_of(&call.cx, db, 52), -1);
    db_free(db);
}

static void after_a_failure_nothing_more_is_done(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    AUTO_TX tx = NULL;

    (void)state;
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(insert_item(&call.cx, tx, 60, 1));
    assert_true(db_unique_violation(insert_item(&call.cx, tx, 60, 1), NULL));
    assert_int_equal(status_reason(insert_item(&call.cx, tx, 61, 1)), REASON_INTERNAL);
    assert_int_equal(status_reason(tx_commit(&call.cx, tx)), REASON_INTERNAL);
    tx_end(&tx);
    assert_int_equal(amount_of(&call.cx, db, 60), -1);
    db_free(db);
}

static void a_deadline_inside_of_a_transaction_undoes_it(void **state)
{
    static const struct sql sleep_long = {"sleep_long", "SELECT pg_sleep(20)"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct status status;
    AUTO_TX tx = NULL;

    (void)state;
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(insert_item(&call.cx, tx, 70, 1));
    call.cx.deadline_us = deadline_in_ms(100);
    status = tx_execute(&call.cx, tx, &sleep_long, &NO_PARAMS, NULL);
    assert_int_equal(status_reason(status), REASON_DEADLINE_EXCEEDED);
    tx_end(&tx);
    call.cx.deadline_us = INT64_MAX;
    assert_int_equal(amount_of(&call.cx, db, 70), -1);
    db_free(db);
}

static void a_backend_that_is_killed_inside_of_a_transaction_undoes_it(void **state)
{
    static const struct sql backend = {"backend", "SELECT pg_backend_pid()"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    AUTO_ROWS rows = NULL;
    AUTO_TX tx = NULL;

    (void)state;
    test_must(tx_begin(&call.cx, db, &tx));
    test_must(insert_item(&call.cx, tx, 80, 1));
    test_must(tx_query(&call.cx, tx, &backend, &NO_PARAMS, &rows));
    test_sql(arena_printf(
        &call.arena, "SELECT pg_terminate_backend(%" PRId64 ", 2000)", row_i64(rows, 0, 0)));
    assert_int_equal(status_reason(tx_commit(&call.cx, tx)), REASON_DATABASE_UNAVAILABLE);
    tx_end(&tx);
    assert_int_equal(amount_of(&call.cx, db, 80), -1);
    db_free(db);
}

struct conflict {
    int runs;
    int conflicts; /* so many runs are disturbed by somebody else */
};

static struct status read_then_write(struct ctx *cx, struct tx *tx, void *user)
{
    struct conflict *conflict = user;
    AUTO_ROWS rows = NULL;
    struct params id = {.count = 0};

    params_i64(&id, 90);
    TRY(tx_execute(cx, tx, &snapshot, &NO_PARAMS, NULL));
    TRY(tx_query(cx, tx, &amount, &id, &rows));
    if (conflict->runs++ < conflict->conflicts) {
        test_sql("UPDATE item SET amount = amount + 1 WHERE id = 90");
    }
    return add_to_item(cx, tx, 90, 1000, NULL);
}

static void a_serialization_failure_is_run_again(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct conflict some = {.conflicts = 2};
    struct conflict always = {.conflicts = 100};
    struct status status;

    (void)state;
    test_sql("INSERT INTO item VALUES (90, 0)");
    test_must(tx_run(&call.cx, db, read_then_write, &some));
    assert_int_equal(some.runs, 3);
    assert_int_equal(amount_of(&call.cx, db, 90), 1002);

    status = tx_run(&call.cx, db, read_then_write, &always);
    assert_int_equal(status_reason(status), REASON_TRANSACTION_CONFLICT);
    assert_true(status.error->retry_ms > 0);
    assert_int_equal(always.runs, 4);
    assert_int_equal(amount_of(&call.cx, db, 90), 1006);
    db_free(db);
}

static void a_lock_that_is_not_given_back_is_not_waited_for_long(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(2);
    const int64_t started_us = monotonic_us();
    struct status status;
    AUTO_TX holder = NULL;
    AUTO_TX waiter = NULL;

    (void)state;
    test_sql("INSERT INTO item VALUES (95, 0)");
    test_must(tx_begin(&call.cx, db, &holder));
    test_must(add_to_item(&call.cx, holder, 95, 1, NULL));
    test_must(tx_begin(&call.cx, db, &waiter));
    status = add_to_item(&call.cx, waiter, 95, 1, NULL);
    assert_string_equal(db_sqlstate(status), "55P03");
    assert_int_equal(status_reason(status), REASON_DEADLINE_EXCEEDED);
    assert_in_range(monotonic_us() - started_us, 1900000, 9000000);
    tx_end(&waiter);
    tx_end(&holder);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_keeps_and_an_end_without_commit_undoes),
        cmocka_unit_test(a_transaction_without_statements_asks_nobody),
        cmocka_unit_test(queued_statements_run_with_the_commit),
        cmocka_unit_test(a_queued_statement_that_fails_is_reported_and_undoes_all),
        cmocka_unit_test(after_a_failure_nothing_more_is_done),
        cmocka_unit_test(a_deadline_inside_of_a_transaction_undoes_it),
        cmocka_unit_test(a_backend_that_is_killed_inside_of_a_transaction_undoes_it),
        cmocka_unit_test(a_serialization_failure_is_run_again),
        cmocka_unit_test(a_lock_that_is_not_given_back_is_not_waited_for_long),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, table_create, test_schema_drop);
}
