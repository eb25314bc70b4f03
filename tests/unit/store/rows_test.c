#include "base/wallclock.h"
#include "database.h"
#include "store/db.h"

static void every_type_comes_back_as_it_went(void **state)
{
    static const struct sql echo = {
        "echo",
        "SELECT $1::bigint, $2::int, $3::bool, $4::text, $5::bytea, $6::uuid, $7::timestamptz,"
        " $8::jsonb, $9::bigint",
    };
    static const uint8_t bytes[] = {0, 1, 255, 0};
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct id id = id_new(call.cx.now_us);
    struct params params = {.count = 0};
    size_t len = 0;
    struct id read;
    AUTO_ROWS rows = NULL;

    (void)state;
    params_i64(&params, INT64_MIN);
    params_i32(&params, INT32_MIN);
    params_bool(&params, true);
    params_text(&params, "Grüße, \"世界\"");
    params_bytes(&params, bytes, sizeof bytes);
    params_id(&params, &id);
    params_time(&params, call.cx.now_us);
    params_json(&params, "{\"a\": [1, null]}");
    params_i64_or_null(&params, 5, true);
    test_must(db_query(&call.cx, db, &echo, &params, &rows));
    assert_int_equal(rows_count(rows), 1);
    assert_true(row_i64(rows, 0, 0) == INT64_MIN);
    assert_true(row_i64(rows, 0, 1) == INT32_MIN);
    assert_true(row_bool(rows, 0, 2));
    assert_string_equal(row_text(&call.cx, rows, 0, 3), "Grüße, \"世界\"");
    assert_memory_equal(row_bytes(&call.cx, rows, 0, 4, &len), bytes, sizeof bytes);
    assert_int_equal(len, sizeof bytes);
    read = row_id(rows, 0, 5);
    assert_true(id_equal(&read, &id));
    assert_true(row_time(rows, 0, 6) == call.cx.now_us);
    assert_string_equal(row_text(&call.cx, rows, 0, 7), "{\"a\": [1, null]}");
    assert_int_equal(row_i64(rows, 0, 8), 5);
    db_free(db);
}

static void a_null_reads_as_nothing(void **state)
{
    static const struct sql echo = {
        "echo",
        "SELECT $1::bigint, $2::text, $3::bytea, $4::uuid, $5::timestamptz, $6::jsonb, NULL::bool,"
        " NULL::text[]",
    };
    static const struct id zero = {{0}};
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct params params = {.count = 0};
    const char *const *texts = NULL;
    struct id read;
    size_t len = 9;
    AUTO_ROWS rows = NULL;

    (void)state;
    params_i64_or_null(&params, 5, false);
    params_text(&params, NULL);
    params_bytes(&params, NULL, 0);
    params_id(&params, &zero);
    params_time_or_null(&params, 0);
    params_json(&params, NULL);
    test_must(db_query(&call.cx, db, &echo, &params, &rows));
    for (int column = 0; column < 8; column++) {
        assert_true(row_is_null(rows, 0, column));
    }
    assert_int_equal(row_i64(rows, 0, 0), 0);
    assert_string_equal(row_text(&call.cx, rows, 0, 1), "");
    assert_non_null(row_bytes(&call.cx, rows, 0, 2, &len));
    assert_int_equal(len, 0);
    read = row_id(rows, 0, 3);
    assert_true(id_is_zero(&read));
    assert_int_equal(row_time(rows, 0, 4), 0);
    assert_string_equal(row_text(&call.cx, rows, 0, 5), "");
    assert_false(row_bool(rows, 0, 6));
    assert_int_equal(row_text_array(&call.cx, rows, 0, 7, &texts), 0);
    db_free(db);
}

static void other_types_of_the_schema_can_be_read(void **state)
{
    static const struct sql read = {
        "read",
        "SELECT 7::smallint, 'EUR'::char(3), 'x'::varchar, 'on'::mood, 'y'::\"char\", '{}'::json,"
        " pg_current_xact_id(), 4000000000::oid",
    };
    TEST_CALL(call);
    struct db *db = test_db(1);
    AUTO_ROWS rows = NULL;

    (void)state;
    test_sql("CREATE TYPE mood AS ENUM ('on', 'off')");
    test_must(db_query(&call.cx, db, &read, &NO_PARAMS, &rows));
    assert_int_equal(row_i64(rows, 0, 0), 7);
    assert_string_equal(row_text(&call.cx, rows, 0, 1), "EUR");
    assert_string_equal(row_text(&call.cx, rows, 0, 2), "x");
    assert_string_equal(row_text(&call.cx, rows, 0, 3), "on");
    assert_string_equal(row_text(&call.cx, rows, 0, 4), "y");
    assert_string_equal(row_text(&call.cx, rows, 0, 5), "{}");
    assert_true(row_i64(rows, 0, 6) > 0);
    assert_int_equal(row_i64(rows, 0, 7), 4000000000);
    db_free(db);
}

static void times_reach_to_infinity(void **state)
{
    static const struct sql echo = {"echo", "SELECT $1::timestamptz, $1::timestamptz::text"};
    static const struct {
        int64_t time_us;
        const char *text; /* NULL: outside of the server's calendar */
    } cases[] = {
        {0, "1970-01-01 00:00:00+00"},
        {-1, "1969-12-31 23:59:59.999999+00"},
        {TIME_MIN_US, "0001-01-01 00:00:00+00"},
        {TIME_MAX_US, "9999-12-31 23:59:59.999999+00"},
        {INT64_MAX, "infinity"},
        {INT64_MIN, "-infinity"},
        {INT64_MAX - 1, "294247-01-10 04:00:54.775806+00"},
        {INT64_MIN + 1, NULL},
        {INT64_MIN + 2, NULL},
    };
    struct db *db = test_db(1);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        TEST_CALL(call);
        struct params params = {.count = 0};
        struct status status;
        AUTO_ROWS rows = NULL;

        params_time(&params, cases[i].time_us);
        status = db_query(&call.cx, db, &echo, &params, &rows);
        if (cases[i].text == NULL) {
            assert_int_equal(status_reason(status), REASON_FIELD_INVALID);
            continue;
        }
        test_must(status);
        assert_string_equal(row_text(&call.cx, rows, 0, 1), cases[i].text);
        assert_true(row_time(rows, 0, 0) == cases[i].time_us);
    }
    db_free(db);
}

static void a_time_beyond_ours_reads_as_the_last_one(void **state)
{
    static const struct sql read = {
        "read", "SELECT '294276-12-31 23:59:59+00'::timestamptz, '4713-01-01 BC'::timestamptz"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    AUTO_ROWS rows = NULL;

    (void)state;
    test_must(db_query(&call.cx, db, &read, &NO_PARAMS, &rows));
    assert_true(row_time(rows, 0, 0) == INT64_MAX - 1);
    assert_true(row_time(rows, 0, 1) < TIME_MIN_US);
    db_free(db);
}

static void arrays_come_back_as_they_went(void **state)
{
    static const struct sql echo = {"echo", "SELECT $1::bigint[], $2::text[], $3::uuid[]"};
    static const int64_t numbers[] = {1, -1, INT64_MAX};
    static const char *const texts[] = {"", "a,b\"{}", NULL, "世"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    const struct id ids[] = {id_new(1), {{0}}, id_new(2)};
    struct params params = {.count = 0};
    const int64_t *read_numbers = NULL;
    const char *const *read_texts = NULL;
    const struct id *read_ids = NULL;
    AUTO_ROWS rows = NULL;

    (void)state;
    params_i64_array(&call.cx, &params, numbers, 3);
    params_text_array(&call.cx, &params, texts, 4);
    params_id_array(&call.cx, &params, ids, 3);
    test_must(db_query(&call.cx, db, &echo, &params, &rows));
    assert_int_equal(row_i64_array(&call.cx, rows, 0, 0, &read_numbers), 3);
    assert_memory_equal(read_numbers, numbers, sizeof numbers);
    assert_int_equal(row_text_array(&call.cx, rows, 0, 1, &read_texts), 4);
    assert_string_equal(read_texts[0], "");
    assert_string_equal(read_texts[1], "a,b\"{}");
    assert_string_equal(read_texts[2], "");
    assert_string_equal(read_texts[3], "世");
    assert_int_equal(row_id_array(&call.cx, rows, 0, 2, &read_ids), 3);
    assert_memory_equal(read_ids, ids, sizeof ids);
    db_free(db);
}

static void arrays_are_unfolded_by_the_server(void **state)
{
    static const struct sql unfold = {
        "unfold",
        "SELECT i, t, j, n FROM unnest($1::int[], $2::timestamptz[], $3::jsonb[], $4::text[])"
        " AS u (i, t, j, n)",
    };
    static const int32_t numbers[] = {1, 2};
    static const int64_t times[] = {1000000, INT64_MAX};
    static const char *const jsons[] = {"{\"a\": 1}", NULL};
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct params params = {.count = 0};
    AUTO_ROWS rows = NULL;

    (void)state;
    params_i32_array(&call.cx, &params, numbers, 2);
    params_time_array(&call.cx, &params, times, 2);
    params_json_array(&call.cx, &params, jsons, 2);
    params_text_array(&call.cx, &params, NULL, 0);
    test_must(db_query(&call.cx, db, &unfold, &params, &rows));
    assert_int_equal(rows_count(rows), 2);
    assert_int_equal(row_i64(rows, 1, 0), 2);
    assert_int_equal(row_time(rows, 0, 1), 1000000);
    assert_true(row_time(rows, 1, 1) == INT64_MAX);
    assert_string_equal(row_text(&call.cx, rows, 0, 2), "{\"a\": 1}");
    assert_true(row_is_null(rows, 1, 2));
    assert_true(row_is_null(rows, 0, 3));
    db_free(db);
}

static void parameters_without_memory_are_not_sent(void **state)
{
    static const struct sql count = {"count", "SELECT cardinality($1::bigint[])"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    const size_t many = TEST_ARENA_BYTES / 8;
    int64_t *numbers = arena_try_alloc(&call.arena, many * 4);
    struct params params = {.count = 0};
    AUTO_ROWS rows = NULL;

    (void)state;
    params_i64_array(&call.cx, &params, numbers, many / 2);
    assert_int_equal(
        status_reason(db_query(&call.cx, db, &count, &params, &rows)), REASON_REQUEST_TOO_COSTLY);
    db_free(db);
}

static void a_value_that_the_server_refuses_is_the_callers_fault(void **state)
{
    static const struct sql echo = {"echo", "SELECT $1::jsonb"};
    static const struct sql text = {"text", "SELECT $1::text"};
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct params params = {.count = 0};
    AUTO_ROWS rows = NULL;

    (void)state;
    params_json(&params, "{not json");
    assert_int_equal(
        status_reason(db_query(&call.cx, db, &echo, &params, &rows)), REASON_FIELD_INVALID);
    params.count = 0;
    params_text(&params, "\xff\xfe");
    assert_int_equal(
        status_reason(db_query(&call.cx, db, &text, &params, &rows)), REASON_FIELD_INVALID);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back_as_it_went),
        cmocka_unit_test(a_null_reads_as_nothing),
        cmocka_unit_test(other_types_of_the_schema_can_be_read),
        cmocka_unit_test(times_reach_to_infinity),
        cmocka_unit_test(a_time_beyond_ours_reads_as_the_last_one),
        cmocka_unit_test(arrays_come_back_as_they_went),
        cmocka_unit_test(arrays_are_unfolded_by_the_server),
        cmocka_unit_test(parameters_without_memory_are_not_sent),
        cmocka_unit_test(a_value_that_the_server_refuses_is_the_callers_fault),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, test_schema_create, test_schema_drop);
}
