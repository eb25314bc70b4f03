#include "store/schema.h"

#include <pthread.h>

#include "database.h"

static const struct migration three[] = {
    {1, "first", "CREATE TABLE first (id bigint); INSERT INTO first VALUES (1);"},
    {2, "second", "ALTER TABLE first ADD COLUMN name text;"},
    {3, "third", "CREATE TABLE third (id bigint);"},
};

static struct schema of(const struct migration *migrations, size_t count)
{
    return (struct schema){migrations, count};
}

/* Each test starts with an empty schema. */
static int start_empty(void **state)
{
    test_schema_create(state);
    test_schema_drop(state);
    return test_schema_create(state);
}

static void migrations_are_applied_once_and_in_order(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(2);
    const struct schema two = of(three, 2);
    const struct schema all = of(three, 3);
    struct schema_report report;
    size_t applied = 9;

    (void)state;
    test_must(schema_status(&call.cx, db, &two, &report));
    assert_int_equal(report.count, 2);
    assert_int_equal(report.pending_count, 2);
    assert_int_equal(schema_verify(&call.cx, db, &two).code, CODE_INTERNAL);
    test_must(schema_up(&call.cx, db, &two, &applied));
    assert_int_equal(applied, 2);
    test_must(schema_verify(&call.cx, db, &two));
    test_must(schema_up(&call.cx, db, &two, &applied));
    assert_int_equal(applied, 0);
    test_must(schema_up(&call.cx, db, &all, &applied));
    assert_int_equal(applied, 1);
    test_must(schema_status(&call.cx, db, &all, &report));
    assert_int_equal(report.count, 3);
    assert_int_equal(report.pending_count, 0);
    assert_string_equal(report.migrations[1].name, "second");
    assert_int_equal(report.migrations[1].state, MIGRATION_APPLIED);
    assert_true(report.migrations[1].applied_us > 0);
    db_free(db);
}

static void assert_refused(struct status status, const char *words)
{
    assert_int_equal(status_reason(status), REASON_INTERNAL);
    if (strstr(status_message(status), words) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", words, status_message(status));
    }
}

static void a_newer_schema_is_refused(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct schema all = of(three, 3);
    const struct schema two = of(three, 2);
    size_t applied = 0;

    (void)state;
    test_must(schema_up(&call.cx, db, &all, &applied));
    assert_refused(schema_verify(&call.cx, db, &two), "newer than this program");
    assert_refused(schema_verify(&call.cx, db, &two), "0003 \"third\"");
    assert_refused(schema_up(&call.cx, db, &two, &applied), "newer than this program");
    db_free(db);
}

static void a_changed_migration_is_named(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct schema all = of(three, 3);
    struct migration changed[3];
    struct schema other = of(changed, 3);
    size_t applied = 0;

    (void)state;
    memcpy(changed, three, sizeof three);
    changed[1].text = "ALTER TABLE first ADD COLUMN name varchar;";
    test_must(schema_up(&call.cx, db, &all, &applied));
    assert_refused(schema_verify(&call.cx, db, &other), "0002 \"second\" was changed");
    db_free(db);
}

static void a_migration_that_comes_too_late_is_refused(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct migration gap[] = {three[0], three[2]};
    const struct schema without_second = of(gap, 2);
    const struct schema all = of(three, 3);
    size_t applied = 0;

    (void)state;
    test_must(schema_up(&call.cx, db, &without_second, &applied));
    assert_refused(schema_up(&call.cx, db, &all, &applied), "0002 was never applied");
    db_free(db);
}

static void a_migration_that_fails_leaves_no_trace(void **state)
{
    static const struct migration bad[] = {
        {1, "first", "CREATE TABLE first (id bigint);"},
        {2, "bad", "CREATE TABLE half (id bigint);\nCREATE TABLE half (id bigint);"},
    };
    static const struct migration sly[] = {
        {1, "first", "CREATE TABLE first (id bigint);"},
        {2, "sly", "CREATE TABLE half (id bigint); COMMIT;"},
    };
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct schema failing = of(bad, 2);
    const struct schema ending = of(sly, 2);
    struct schema_report report;
    size_t applied = 0;

    (void)state;
    assert_refused(
        schema_up(&call.cx, db, &failing, &applied),
        "migration 0002 \"bad\" failed: relation \"half\" already exists (42P07)");
    test_must(schema_status(&call.cx, db, &failing, &report));
    assert_int_equal(report.pending_count, 1);
    assert_int_equal(test_number("SELECT (to_regclass('half') IS NULL)::int"), 1);
    assert_refused(schema_up(&call.cx, db, &ending, &applied), "ends the transaction");
    db_free(db);
}

struct migrator {
    struct db *db;
    struct schema schema;
    size_t applied;
    enum code code;
};

static void *migrate(void *user)
{
    struct migrator *migrator = user;
    TEST_CALL(call);

    migrator->code = schema_up(&call.cx, migrator->db, &migrator->schema, &migrator->applied).code;
    return NULL;
}

static void two_programs_migrate_once(void **state)
{
    struct db *db = test_db(4);
    struct migrator migrators[3];
    pthread_t threads[3];
    size_t applied = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        migrators[i] = (struct migrator){.db = db, .schema = of(three, 3)};
        pthread_create(&threads[i], NULL, migrate, &migrators[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(migrators[i].code, CODE_OK);
        applied += migrators[i].applied;
    }
    assert_int_equal(applied, 3);
    db_free(db);
}

static void *hold_table(void *user)
{
    struct db *db = user;
    static const struct sql lock = {"lock", "LOCK TABLE first IN ACCESS EXCLUSIVE MODE"};
    static const struct sql wait = {"wait", "SELECT pg_sleep(3)"};
    TEST_CALL(call);
    AUTO_TX tx = NULL;

    if (tx_begin(&call.cx, db, &tx).code == CODE_OK &&
        tx_execute(&call.cx, tx, &lock, &NO_PARAMS, NULL).code == CODE_OK) {
        status_ignore(&call.cx, tx_execute(&call.cx, tx, &wait, &NO_PARAMS, NULL), "a test");
    }
    return NULL;
}

static void a_lock_that_comes_late_is_waited_for_in_pieces(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(2);
    const struct schema one = of(three, 1);
    const struct schema two = of(three, 2);
    pthread_t thread;
    size_t applied = 0;

    (void)state;
    test_must(schema_up(&call.cx, db, &one, &applied));
    pthread_create(&thread, NULL, hold_table, db);
    usleep(200000);
    test_must(schema_up(&call.cx, db, &two, &applied));
    pthread_join(thread, NULL);
    assert_int_equal(applied, 1);
    db_free(db);
}

static void the_schema_of_the_program_can_be_built(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(2);
    size_t applied = 0;

    (void)state;
    test_must(schema_up(&call.cx, db, &SCHEMA, &applied));
    assert_int_equal(applied, SCHEMA.count);
    test_must(schema_verify(&call.cx, db, &SCHEMA));
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(migrations_are_applied_once_and_in_order, start_empty),
        cmocka_unit_test_setup(a_newer_schema_is_refused, start_empty),
        cmocka_unit_test_setup(a_changed_migration_is_named, start_empty),
        cmocka_unit_test_setup(a_migration_that_comes_too_late_is_refused, start_empty),
        cmocka_unit_test_setup(a_migration_that_fails_leaves_no_trace, start_empty),
        cmocka_unit_test_setup(two_programs_migrate_once, start_empty),
        cmocka_unit_test_setup(a_lock_that_comes_late_is_waited_for_in_pieces, start_empty),
        cmocka_unit_test_setup(the_schema_of_the_program_can_be_built, start_empty),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, test_schema_create, test_schema_drop);
}
