#include "store/api_key_store.h"

#include "database.h"
#include "domain/scope.h"

static const uint8_t HASH[SHA256_SIZE] = {0xab};

static int setup(void **state)
{
    test_schema_create(state);
    test_sql("CREATE TABLE organizations (org_id bigint, organization_id uuid)");
    test_sql(
        "CREATE TABLE credentials (secret_hash bytea, kind text, org_id bigint, object_id uuid)");
    test_sql(
        "CREATE TABLE api_keys (org_id bigint, key_id uuid, kind text, name text, scopes text[], "
        "shown_start text, shown_end text, created_by text, created_at timestamptz, "
        "last_used_at timestamptz, expires_at timestamptz, revoked_at timestamptz, "
        "rotated_to uuid, replaces uuid)");
    test_sql("INSERT INTO organizations VALUES (3, gen_random_uuid())");
    test_sql(
        "INSERT INTO api_keys VALUES (3, '01890000-0000-7000-8000-000000000001', 'RESTRICTED', "
        "'one', '{usage.read,usage.write,customers.read}', 'bos', 'abcd', 'cli', now())");
    test_sql("INSERT INTO credentials VALUES (decode(rpad('ab', 64, '0'), 'hex'), 'API_KEY', 3, "
             "'01890000-0000-7000-8000-000000000001')");
    return 0;
}

/* What is found is kept for a while: a key must not be kept without its scopes. */
static void a_key_is_found_whole_or_not_at_all(void **state)
{
    struct db *db = test_db(1);
    size_t failed = 0;
    size_t succeeded = 0;

    (void)state;
    for (size_t cap = 16; cap < 4096; cap += 16) {
        TEST_CALL(call);
        struct api_key_credential credential;
        bool found = false;
        struct status status;

        call.arena.cap_bytes = cap;
        status = api_key_store_find(&call.cx, db, HASH, &found, &credential);
        if (status.code != CODE_OK) {
            assert_int_equal(status_reason(status), REASON_REQUEST_TOO_COSTLY);
            failed++;
            continue;
        }
        succeeded++;
        assert_true(found);
        assert_int_equal(credential.key.kind, KEY_RESTRICTED);
        assert_int_equal(__builtin_popcountll(credential.key.scopes), 3);
    }
    assert_true(failed > 0);
    assert_true(succeeded > 0);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_whole_or_not_at_all),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, setup, test_schema_drop);
}
