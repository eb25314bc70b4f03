#include "store/catalog_keys_store.h"

#include "database.h"
#include "domain/catalog_keys.h"

#define FEATURES 50

static int setup(void **state)
{
    test_schema_create(state);
    test_sql("CREATE TABLE meters (org_id bigint, meter_id uuid DEFAULT gen_random_uuid(), "
             "meter_no int, key text, aggregation text, archived_at timestamptz)");
    test_sql("CREATE TABLE features (org_id bigint, feature_id uuid DEFAULT gen_random_uuid(), "
             "key text, kind text, meter_id uuid, archived_at timestamptz, "
             "unreachable_policy text DEFAULT 'DENY')");
    test_sql("INSERT INTO meters SELECT 2, gen_random_uuid(), 7, 'calls', 'COUNT', NULL "
             "UNION ALL SELECT 2, gen_random_uuid(), 8, 'old', 'SUM', now() "
             "UNION ALL SELECT 3, gen_random_uuid(), 9, 'other', 'SUM', NULL");
    test_sql("INSERT INTO features SELECT 2, gen_random_uuid(), 'feature-' || n, 'BOOLEAN', NULL, "
             "NULL FROM generate_series(1, 50) AS n");
    test_sql("INSERT INTO features SELECT 2, gen_random_uuid(), 'gone', 'BOOLEAN', NULL, now()");
    test_sql("UPDATE features SET unreachable_policy = 'ALLOW' WHERE key = 'feature-7'");
    return 0;
}

static void archived_meters_stay_known_and_archived_features_do_not(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct catalog_keys keys;

    (void)state;
    call.cx.caller.org_id = 2;
    test_must(catalog_keys_store_load(&call.cx, db, &keys));
    assert_int_equal(keys.feature_count, FEATURES);
    assert_int_equal(keys.meter_count, 2);
    assert_string_equal(keys.meters[0].key, "calls");
    assert_false(keys.meters[0].archived);
    assert_int_equal(keys.meters[0].aggregation, METER_COUNT);
    assert_string_equal(keys.meters[1].key, "old");
    assert_true(keys.meters[1].archived);
    db_free(db);
}

static void each_feature_brings_its_policy(void **state)
{
    TEST_CALL(call);
    struct db *db = test_db(1);
    struct catalog_keys keys;

    (void)state;
    call.cx.caller.org_id = 2;
    test_must(catalog_keys_store_load(&call.cx, db, &keys));
    for (size_t i = 0; i < keys.feature_count; i++) {
        assert_int_equal(
            keys.features[i].unreachable,
            strcmp(keys.features[i].key, "feature-7") == 0 ? UNREACHABLE_ALLOW : UNREACHABLE_DENY);
    }
    db_free(db);
}

/* What is returned goes into a cache that serves everybody. */
static void whatever_is_returned_is_whole(void **state)
{
    struct db *db = test_db(1);
    size_t failed = 0;
    size_t succeeded = 0;

    (void)state;
    for (size_t cap = 256; cap < (size_t)64 * 1024; cap += 256) {
        TEST_CALL(call);
        struct catalog_keys keys;
        struct status status;

        call.arena.cap_bytes = cap;
        call.cx.caller.org_id = 2;
        status = catalog_keys_store_load(&call.cx, db, &keys);
        if (status.code != CODE_OK) {
            assert_int_equal(status_reason(status), REASON_REQUEST_TOO_COSTLY);
            failed++;
            continue;
        }
        succeeded++;
        for (size_t i = 0; i < keys.feature_count; i++) {
            assert_true(strlen(keys.features[i].key) > 0);
        }
    }
    assert_true(failed > 0);
    assert_true(succeeded > 0);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archived_meters_stay_known_and_archived_features_do_not),
        cmocka_unit_test(each_feature_brings_its_policy),
        cmocka_unit_test(whatever_is_returned_is_whole),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, setup, test_schema_drop);
}
