#include "services/auth.h"

#include "base/digest.h"
#include "organization_fixture.h"
#include "services/api_keys.h"
#include "store/api_key_store.h"

static const char *bearer(struct ctx *cx, const char *secret)
{
    return arena_printf(cx->arena, "Bearer %s", secret);
}

static struct status
ask(struct organization_fixture *fixture, struct ctx *cx, uint64_t scope, const char *secret)
{
    return auth_authorize(cx, &fixture->services, scope, bearer(cx, secret));
}

static void the_first_keys_work_in_their_mode(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);

    for (size_t i = 0; i < FIRST_KEYS; i++) {
        const struct issued_key *issued = &fixture->founding.keys[i];

        test_must(ask(fixture, &call.cx, SCOPE_CATALOG_READ, issued->secret));
        assert_int_equal(call.cx.caller.org_id, issued->key.org_id);
        assert_int_equal(call.cx.caller.live, issued->key.live);
        assert_int_equal(call.cx.caller.live, call.cx.caller.org_id % 2 == 0);
        assert_int_equal(call.cx.caller.kind, issued->key.kind);
        assert_true(id_equal(&call.cx.caller.key_id, &issued->key.key_id));
        assert_true(id_equal(&call.cx.caller.org, &fixture->founding.organization.organization_id));
        assert_string_equal(
            call.cx.caller.actor, id_text(call.cx.arena, ID_KEY, &issued->key.key_id));
    }
}

static void a_scope_that_is_not_held_is_refused(void **state)
{
    struct organization_fixture *fixture = *state;
    const char *publishable = fixture->founding.keys[3].secret;
    TEST_CALL(call);
    struct status status;

    call.cx.method = "billingos.v1.CustomerService/CreateCustomer";
    status = ask(fixture, &call.cx, SCOPE_CUSTOMERS_WRITE, publishable);
    assert_int_equal(status_reason(status), REASON_SCOPE_MISSING);
    assert_string_equal(status.error->pairs[0].value, "customers.write");
    assert_string_equal(status.error->pairs[1].value, "CreateCustomer");
    test_must(ask(fixture, &call.cx, 0, publishable));
    assert_int_equal(
        status_reason(ask(fixture, &call.cx, SCOPE_BOOTSTRAP, fixture->founding.keys[0].secret)),
        REASON_SCOPE_MISSING);
}

static void what_is_no_key_is_refused_without_the_database(void **state)
{
    struct organization_fixture *fixture = *state;
    static const char *const missing[] = {"", "Basic abc", "bos_sk_test_x", "Bearer "};
    TEST_CALL(call);
    char changed[SECRET_TEXT_SIZE];

    call.cx.may_block = false; /* asking would fail with WOULD_BLOCK */
    for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
        assert_int_equal(
            status_reason(auth_authorize(&call.cx, &fixture->services, 0, missing[i])),
            REASON_API_KEY_MISSING);
    }
    assert_int_equal(status_reason(ask(fixture, &call.cx, 0, "junk")), REASON_API_KEY_INVALID);
    snprintf(changed, sizeof changed, "%s", fixture->founding.keys[0].secret);
    changed[20] = changed[20] == 'a' ? 'b' : 'a';
    assert_int_equal(status_reason(ask(fixture, &call.cx, 0, changed)), REASON_API_KEY_INVALID);
}

static void on_the_polling_thread_a_new_key_waits_for_a_worker(void **state)
{
    struct organization_fixture *fixture = *state;
    const char *secret = fixture->founding.keys[0].secret;
    TEST_CALL(call);

    call.cx.may_block = false;
    assert_int_equal(status_reason(ask(fixture, &call.cx, 0, secret)), REASON_WOULD_BLOCK);
    call.cx.may_block = true;
    test_must(ask(fixture, &call.cx, 0, secret));
    call.cx.may_block = false;
    test_must(ask(fixture, &call.cx, 0, secret));
}

static void an_unknown_key_asks_the_database_once(void **state)
{
    struct organization_fixture *fixture = *state;
    const uint8_t random[SECRET_RANDOM_BYTES] = {1, 2, 3};
    char secret[SECRET_TEXT_SIZE];
    TEST_CALL(call);

    secret_format(SECRET_TEST_SECRET_KEY, random, secret);
    assert_int_equal(status_reason(ask(fixture, &call.cx, 0, secret)), REASON_API_KEY_INVALID);
    call.cx.may_block = false;
    assert_int_equal(status_reason(ask(fixture, &call.cx, 0, secret)), REASON_API_KEY_INVALID);
}

static struct status revoke_work(struct ctx *cx, struct tx *tx, void *user)
{
    struct api_key key;

    return api_keys_revoke(cx, tx, user, "leaked", &key);
}

static void a_revoked_key_says_so_once_it_is_dropped(void **state)
{
    struct organization_fixture *fixture = *state;
    const struct issued_key *issued = &fixture->founding.keys[0];
    TEST_CALL(call);
    struct id key_id = issued->key.key_id;
    struct status status;

    test_must(ask(fixture, &call.cx, 0, issued->secret));
    test_must(tx_run(&call.cx, fixture->services.db, revoke_work, &key_id));
    test_must(ask(fixture, &call.cx, 0, issued->secret));
    api_keys_forget(&fixture->services, &key_id);
    status = ask(fixture, &call.cx, 0, issued->secret);
    assert_int_equal(status_reason(status), REASON_API_KEY_REVOKED);
    assert_string_equal(status.error->pairs[0].key, "api_key_id");
    assert_string_equal(status.error->pairs[1].key, "revoke_time");
    assert_int_equal(
        test_number(arena_printf(
            call.cx.arena,
            "SELECT count(*) FROM event_log WHERE org_id = %" PRId64
            " AND type = 'API_KEY_CHANGED' AND payload->>'api_key_id' = '%s'",
            issued->key.org_id,
            id_text(call.cx.arena, ID_KEY, &key_id))),
        1);
}

static void the_event_of_a_change_drops_that_key_alone(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    const char *text = id_text(call.cx.arena, ID_KEY, &fixture->founding.keys[0].key.key_id);

    test_must(ask(fixture, &call.cx, 0, fixture->founding.keys[0].secret));
    test_must(ask(fixture, &call.cx, 0, fixture->founding.keys[1].secret));
    auth_key_changed(
        &fixture->services, arena_printf(call.cx.arena, "{\"api_key_id\": \"%s\"}", text));
    call.cx.may_block = false;
    assert_int_equal(
        status_reason(ask(fixture, &call.cx, 0, fixture->founding.keys[0].secret)),
        REASON_WOULD_BLOCK);
    test_must(ask(fixture, &call.cx, 0, fixture->founding.keys[1].secret));
    auth_key_changed(&fixture->services, "{}");
    assert_int_equal(
        status_reason(ask(fixture, &call.cx, 0, fixture->founding.keys[1].secret)),
        REASON_WOULD_BLOCK);
}

static struct status rotate_work(struct ctx *cx, struct tx *tx, void *user)
{
    struct issued_key issued;
    struct api_key old;

    return api_keys_rotate(cx, tx, user, 1000, &issued, &old);
}

static void after_the_overlap_the_old_key_has_expired(void **state)
{
    struct organization_fixture *fixture = *state;
    const struct issued_key *issued = &fixture->founding.keys[2];
    TEST_CALL(call);
    struct id key_id = issued->key.key_id;

    test_must(ask(fixture, &call.cx, 0, issued->secret));
    test_must(tx_run(&call.cx, fixture->services.db, rotate_work, &key_id));
    api_keys_forget(&fixture->services, &key_id);
    test_must(ask(fixture, &call.cx, 0, issued->secret));
    call.cx.now_us += 1000;
    assert_int_equal(
        status_reason(ask(fixture, &call.cx, 0, issued->secret)), REASON_API_KEY_EXPIRED);
}

static void the_bootstrap_token_makes_organizations_and_nothing_else(void **state)
{
    struct organization_fixture *fixture = *state;
    const uint8_t random[SECRET_RANDOM_BYTES] = {7};
    const uint8_t other[SECRET_RANDOM_BYTES] = {8};
    char token[SECRET_TEXT_SIZE];
    char wrong[SECRET_TEXT_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    TEST_CALL(call);

    secret_format(SECRET_BOOTSTRAP_TOKEN, random, token);
    secret_format(SECRET_BOOTSTRAP_TOKEN, other, wrong);
    assert_int_equal(
        status_reason(ask(fixture, &call.cx, SCOPE_BOOTSTRAP, token)),
        REASON_BOOTSTRAP_TOKEN_INVALID);
    sha256(token, strlen(token), hash);
    hex_format(hash, sizeof hash, hex);
    fixture->settings.bootstrap_token_hash = hex;
    test_must(ask(fixture, &call.cx, SCOPE_BOOTSTRAP, token));
    assert_int_equal(call.cx.caller.kind, KEY_BOOTSTRAP);
    assert_int_equal(status_reason(ask(fixture, &call.cx, 0, token)), REASON_SCOPE_MISSING);
    assert_int_equal(
        status_reason(ask(fixture, &call.cx, SCOPE_CATALOG_READ, token)), REASON_SCOPE_MISSING);
    assert_int_equal(
        status_reason(ask(fixture, &call.cx, SCOPE_BOOTSTRAP, wrong)),
        REASON_BOOTSTRAP_TOKEN_INVALID);
}

static void the_last_use_is_written_by_the_job(void **state)
{
    struct organization_fixture *fixture = *state;
    const struct issued_key *issued = &fixture->founding.keys[0];
    TEST_CALL(call);
    const char *question = arena_printf(
        call.cx.arena,
        "SELECT count(*) FROM api_keys WHERE org_id = %" PRId64 " AND last_used_at IS NOT NULL",
        issued->key.org_id);

    test_must(ask(fixture, &call.cx, 0, issued->secret));
    test_must(ask(fixture, &call.cx, 0, issued->secret));
    assert_int_equal(test_number(question), 0);
    test_must(auth_write_last_used(&call.cx, &fixture->services));
    assert_int_equal(test_number(question), 1);
}

static void without_the_database_a_key_seen_lately_goes_on_working(void **state)
{
    static const struct auth_cache_config impatient = {
        .keys_max = 100, .lifetime_ms = 1, .stale_ms_max = 60000};
    struct organization_fixture *fixture = *state;
    const char *seen = fixture->founding.keys[0].secret;
    const char *unseen = fixture->founding.keys[2].secret;
    struct services away = fixture->services;
    TEST_CALL(call);

    away.db = test_db_at("postgresql://nobody@/nothing?host=/nowhere", 1);
    away.auth = auth_cache_new(&impatient);
    auth_cache_free(fixture->services.auth);
    fixture->services.auth = away.auth;
    test_must(ask(fixture, &call.cx, 0, seen));
    usleep(5000);
    test_must(auth_authorize(&call.cx, &away, 0, bearer(&call.cx, seen)));
    assert_int_equal(call.cx.caller.org_id, fixture->founding.keys[0].key.org_id);
    assert_int_equal(
        status_reason(auth_authorize(&call.cx, &away, 0, bearer(&call.cx, unseen))),
        REASON_DATABASE_UNAVAILABLE);
    db_free(away.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ORGANIZATION_TEST(the_first_keys_work_in_their_mode),
        ORGANIZATION_TEST(a_scope_that_is_not_held_is_refused),
        ORGANIZATION_TEST(what_is_no_key_is_refused_without_the_database),
        ORGANIZATION_TEST(on_the_polling_thread_a_new_key_waits_for_a_worker),
        ORGANIZATION_TEST(an_unknown_key_asks_the_database_once),
        ORGANIZATION_TEST(a_revoked_key_says_so_once_it_is_dropped),
        ORGANIZATION_TEST(the_event_of_a_change_drops_that_key_alone),
        ORGANIZATION_TEST(after_the_overlap_the_old_key_has_expired),
        ORGANIZATION_TEST(the_bootstrap_token_makes_organizations_and_nothing_else),
        ORGANIZATION_TEST(the_last_use_is_written_by_the_job),
        ORGANIZATION_TEST(without_the_database_a_key_seen_lately_goes_on_working),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, organization_fixture_schema, test_schema_drop);
}
