#include "handlers/organization_handler.h"

#include "organization_kit.h"

static void an_organization_is_made_once_for_a_request_id(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__Organization organization = BILLINGOS__V1__ORGANIZATION__INIT;
    Billingos__V1__CreateOrganizationRequest req = BILLINGOS__V1__CREATE_ORGANIZATION_REQUEST__INIT;
    Billingos__V1__CreateOrganizationResponse *first = NULL;
    Billingos__V1__CreateOrganizationResponse *again = NULL;

    organization.name = pb_text("Globex Corporation");
    organization.default_currency_code = pb_text("EUR");
    req.organization = &organization;
    req.owner_email = pb_text("hank@example.com");
    req.request_id = pb_text("5f0c6e6e-0000-4000-8000-000000000001");
    cx->method = "billingos.v1.OrganizationService/CreateOrganization";
    cx->caller = (struct caller){.kind = KEY_BOOTSTRAP, .actor = "bootstrap"};
    first = answer_of(fixture, cx, organization_create, &req.base);
    assert_string_equal(first->organization->slug, "globex-corporation");
    assert_string_equal(first->organization->time_zone, "UTC");
    assert_int_equal(first->organization->payment_grace->seconds, 259200);
    assert_int_equal(first->n_api_keys, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(strlen(first->api_keys[i]->secret), 12 + 49);
        test_must(call_as(fixture, cx, first->api_keys[i]->secret, "GetCaller"));
        assert_int_equal(
            first->api_keys[i]->api_key->mode, cx->caller.live ? MODE_LIVE : MODE_TEST);
    }
    assert_string_equal(first->owner->email, "hank@example.com");

    cx->method = "billingos.v1.OrganizationService/CreateOrganization";
    cx->idempotency_key = "";
    cx->caller = (struct caller){.kind = KEY_BOOTSTRAP, .actor = "bootstrap"};
    again = answer_of(fixture, cx, organization_create, &req.base);
    assert_string_equal(again->organization->org_id, first->organization->org_id);
    assert_string_equal(
        again->api_keys[2]->api_key->api_key_id, first->api_keys[2]->api_key->api_key_id);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(again->api_keys[i]->secret, "");
    }
    organization.name = pb_text("Another");
    assert_int_equal(
        status_reason(failure_of(fixture, cx, organization_create, &req.base)),
        REASON_IDEMPOTENCY_KEY_REUSED);
    assert_int_equal(
        test_number("SELECT count(*) FROM intents WHERE position('bos_' in "
                    "encode(coalesce(response, ''), 'escape')) > 0 "
                    "AND encode(response, 'escape') ~ 'bos_[sp]k_(live|test)_[0-9A-Za-z]{20}'"),
        0);
}

struct founder {
    struct services *services;
    struct status status;
    char org_id[ID_TEXT_SIZE];
    size_t secrets;
};

static void *founder_run(void *user)
{
    struct founder *founder = user;
    TEST_CALL(call);
    Billingos__V1__Organization organization = BILLINGOS__V1__ORGANIZATION__INIT;
    Billingos__V1__CreateOrganizationRequest req = BILLINGOS__V1__CREATE_ORGANIZATION_REQUEST__INIT;
    ProtobufCMessage *message = NULL;

    organization.name = pb_text("Initech");
    organization.default_currency_code = pb_text("USD");
    req.organization = &organization;
    req.owner_email = pb_text("bill@example.com");
    req.request_id = pb_text("at-once");
    call.cx.method = "billingos.v1.OrganizationService/CreateOrganization";
    call.cx.caller = (struct caller){.kind = KEY_BOOTSTRAP, .actor = "bootstrap"};
    founder->status = organization_create(&call.cx, founder->services, &req.base, &message);
    if (founder->status.code == CODE_OK) {
        const Billingos__V1__CreateOrganizationResponse *response =
            (const Billingos__V1__CreateOrganizationResponse *)message;

        snprintf(founder->org_id, sizeof founder->org_id, "%s", response->organization->org_id);
        founder->secrets = strlen(response->api_keys[0]->secret) > 0 ? 1 : 0;
    }
    return NULL;
}

static void four_at_once_make_one_organization(void **state)
{
    struct organization_fixture *fixture = *state;
    struct founder founders[4];
    pthread_t threads[4];
    size_t secrets = 0;

    for (size_t i = 0; i < 4; i++) {
        founders[i] = (struct founder){.services = &fixture->services};
        pthread_create(&threads[i], NULL, founder_run, &founders[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(founders[i].status.code, CODE_OK);
        assert_string_equal(founders[i].org_id, founders[0].org_id);
        secrets += founders[i].secrets;
    }
    assert_int_equal(secrets, 1);
    assert_int_equal(test_number("SELECT count(*) FROM organizations WHERE name = 'Initech'"), 2);
}

static void what_is_wrong_with_an_organization_is_named(void **state)
{
    struct organization_fixture *fixture = *state;
    static const struct {
        const char *name;
        const char *slug;
        const char *currency;
        const char *zone;
        const char *email;
        enum reason reason;
        const char *field;
    } cases[] = {
        {"", "", "EUR", "", "a@b.c", REASON_FIELD_INVALID, "organization.name"},
        {"A", "", "", "", "a@b.c", REASON_FIELD_INVALID, "organization.default_currency_code"},
        {"A", "", "EURO", "", "a@b.c", REASON_CURRENCY_UNKNOWN, NULL},
        {"A", "", "eur", "", "a@b.c", REASON_CURRENCY_UNKNOWN, NULL},
        {"A", "", "EUR", "Mars/Olympus", "a@b.c", REASON_TIME_ZONE_UNKNOWN, NULL},
        {"A", "A B", "EUR", "", "a@b.c", REASON_FIELD_INVALID, "organization.slug"},
        {"A", "acme", "EUR", "", "a@b.c", REASON_ORGANIZATION_EXISTS, NULL},
        {"A", "", "EUR", "", "", REASON_FIELD_INVALID, "owner_email"},
        {"A", "", "EUR", "", "nobody", REASON_FIELD_INVALID, "owner_email"},
    };
    const int64_t before = test_number("SELECT count(*) FROM organizations");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        TEST_CALL(call);
        Billingos__V1__Organization organization = BILLINGOS__V1__ORGANIZATION__INIT;
        Billingos__V1__CreateOrganizationRequest req =
            BILLINGOS__V1__CREATE_ORGANIZATION_REQUEST__INIT;
        struct status status;

        organization.name = pb_text(cases[i].name);
        organization.slug = pb_text(cases[i].slug);
        organization.default_currency_code = pb_text(cases[i].currency);
        organization.time_zone = pb_text(cases[i].zone);
        req.organization = &organization;
        req.owner_email = pb_text(cases[i].email);
        req.request_id = pb_text("wrong");
        status = failure_of(fixture, &call.cx, organization_create, &req.base);
        assert_string_equal(reason_name(status_reason(status)), reason_name(cases[i].reason));
        if (cases[i].field != NULL) {
            assert_string_equal(status.error->violations[0].field, cases[i].field);
        }
    }
    assert_int_equal(test_number("SELECT count(*) FROM organizations"), before);
    assert_int_equal(test_number("SELECT count(*) FROM intents WHERE request_id = 'wrong'"), 0);
}

static void the_caller_is_told_who_it_is(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    Billingos__V1__GetCallerRequest req = BILLINGOS__V1__GET_CALLER_REQUEST__INIT;
    Billingos__V1__GetCallerResponse *response = NULL;

    test_must(call_as(fixture, &call.cx, fixture->founding.keys[3].secret, "GetCaller"));
    response = answer_of(fixture, &call.cx, organization_get_caller, &req.base);
    assert_int_equal(response->mode, MODE_TEST);
    assert_int_equal(response->actor->kind, BILLINGOS__V1__ACTOR_KIND__ACTOR_KIND_API_KEY);
    assert_string_equal(response->actor->actor_id, call.cx.caller.actor);
    assert_int_equal(response->n_scopes, 1);
    assert_string_equal(response->scopes[0], "catalog.read");
    assert_string_equal(response->api_key->api_key_id, call.cx.caller.actor);
    assert_string_equal(response->organization->name, "Acme");
}

static void both_sides_change_at_once_and_only_what_is_masked(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    char *paths[] = {pb_text("support_email"), pb_text("metadata"), pb_text("allowed_origins")};
    char *origins[] = {pb_text("https://app.example.com"), pb_text("http://localhost:3000")};
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    Billingos__V1__Organization__MetadataEntry entry =
        BILLINGOS__V1__ORGANIZATION__METADATA_ENTRY__INIT;
    Billingos__V1__Organization__MetadataEntry *entries[] = {&entry};
    Billingos__V1__Organization values = BILLINGOS__V1__ORGANIZATION__INIT;
    Billingos__V1__UpdateOrganizationRequest req = BILLINGOS__V1__UPDATE_ORGANIZATION_REQUEST__INIT;
    Billingos__V1__UpdateOrganizationResponse *response = NULL;
    Billingos__V1__GetOrganizationRequest get = BILLINGOS__V1__GET_ORGANIZATION_REQUEST__INIT;
    Billingos__V1__GetOrganizationResponse *got = NULL;

    entry.key = pb_text("tier");
    entry.value = pb_text("gold \"1\"");
    values.name = pb_text("not to be changed");
    values.support_email = pb_text("help@example.com");
    values.n_metadata = 1;
    values.metadata = entries;
    values.n_allowed_origins = 2;
    values.allowed_origins = origins;
    values.etag = pb_text("1");
    mask.n_paths = 3;
    mask.paths = paths;
    req.organization = &values;
    req.update_mask = &mask;
    test_must(call_as(fixture, cx, test_secret(fixture), "UpdateOrganization"));
    response = answer_of(fixture, cx, organization_update, &req.base);
    assert_string_equal(response->organization->etag, "2");
    test_must(call_as(fixture, cx, live_secret(fixture), "GetOrganization"));
    got = answer_of(fixture, cx, organization_get, &get.base);
    assert_string_equal(got->organization->name, "Acme");
    assert_string_equal(got->organization->support_email, "help@example.com");
    assert_string_equal(got->organization->etag, "2");
    assert_int_equal(got->organization->n_metadata, 1);
    assert_string_equal(got->organization->metadata[0]->key, "tier");
    assert_string_equal(got->organization->metadata[0]->value, "gold \"1\"");
    assert_int_equal(got->organization->n_allowed_origins, 2);
    assert_string_equal(got->organization->allowed_origins[1], "http://localhost:3000");

    test_must(call_as(fixture, cx, live_secret(fixture), "UpdateOrganization"));
    assert_int_equal(
        status_reason(failure_of(fixture, cx, organization_update, &req.base)),
        REASON_ETAG_MISMATCH);
    paths[0] = pb_text("slug");
    assert_int_equal(
        failure_of(fixture, cx, organization_update, &req.base).code, CODE_INVALID_ARGUMENT);
}

static void a_secret_is_shown_once(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__ApiKey key;
    Billingos__V1__CreateApiKeyRequest req = key_request(&key, "backend");
    Billingos__V1__CreateApiKeyResponse *first = NULL;
    Billingos__V1__CreateApiKeyResponse *again = NULL;
    struct status status;

    req.request_id = pb_text("create-key-1");
    test_must(call_as(fixture, cx, live_secret(fixture), "CreateApiKey"));
    first = answer_of(fixture, cx, api_key_create, &req.base);
    assert_int_equal(strlen(first->issued->secret), 12 + 49);
    assert_memory_equal(first->issued->api_key->hint, first->issued->secret, 16);
    cx->idempotency_key = "";
    again = answer_of(fixture, cx, api_key_create, &req.base);
    assert_string_equal(again->issued->secret, "");
    assert_string_equal(again->issued->api_key->api_key_id, first->issued->api_key->api_key_id);
    test_must(call_as(fixture, cx, first->issued->secret, "GetCaller"));

    test_must(call_as(fixture, cx, test_secret(fixture), "CreateApiKey"));
    status = failure_of(fixture, cx, api_key_create, &req.base);
    assert_int_equal(status_reason(status), REASON_MODE_MISMATCH);
    assert_string_equal(pair_of(status, "key_mode"), "TEST");
}

static void a_key_makes_no_key_that_may_do_more(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    char *scopes[] = {pb_text("organization.write"), pb_text("customers.read")};
    char *more[] = {pb_text("customers.write")};
    char *none[] = {pb_text("customers.delete")};
    Billingos__V1__ApiKey key;
    Billingos__V1__CreateApiKeyRequest req = key_request(&key, "admin tool");
    Billingos__V1__RotateApiKeyRequest rotate = BILLINGOS__V1__ROTATE_API_KEY_REQUEST__INIT;
    Billingos__V1__CreateApiKeyResponse *made = NULL;
    struct status status;

    key.kind = BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_RESTRICTED;
    key.n_scopes = 2;
    key.scopes = scopes;
    test_must(call_as(fixture, cx, live_secret(fixture), "CreateApiKey"));
    made = answer_of(fixture, cx, api_key_create, &req.base);
    test_must(call_as(fixture, cx, made->issued->secret, "CreateApiKey"));
    key.n_scopes = 1;
    key.scopes = more;
    status = failure_of(fixture, cx, api_key_create, &req.base);
    assert_int_equal(status_reason(status), REASON_SCOPE_NOT_HELD);
    assert_string_equal(pair_of(status, "scope"), "customers.write");
    key.scopes = none;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_create, &req.base)), REASON_SCOPE_UNKNOWN);
    rotate.api_key_id = pb_id(cx, ID_KEY, &fixture->founding.keys[0].key.key_id);
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_rotate, &rotate.base)),
        REASON_SCOPE_NOT_HELD);
    key.kind = BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_SECRET;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_create, &req.base)), REASON_FIELD_INVALID);
    key.n_scopes = 0;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_create, &req.base)), REASON_SCOPE_NOT_HELD);
}

static void a_rotated_key_overlaps_and_cannot_be_rotated_again(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Google__Protobuf__Duration overlap = GOOGLE__PROTOBUF__DURATION__INIT;
    Billingos__V1__RotateApiKeyRequest req = BILLINGOS__V1__ROTATE_API_KEY_REQUEST__INIT;
    Billingos__V1__RotateApiKeyResponse *response = NULL;
    struct status status;

    overlap.seconds = 60;
    req.overlap = &overlap;
    req.api_key_id = pb_id(cx, ID_KEY, &fixture->founding.keys[0].key.key_id);
    test_must(call_as(fixture, cx, live_secret(fixture), "RotateApiKey"));
    response = answer_of(fixture, cx, api_key_rotate, &req.base);
    assert_string_equal(response->issued->api_key->replaces_api_key_id, req.api_key_id);
    assert_string_equal(response->issued->api_key->name, "First secret key");
    assert_int_equal(
        response->old_api_key->state, BILLINGOS__V1__API_KEY_STATE__API_KEY_STATE_ROTATED);
    assert_int_equal(
        response->old_api_key->expire_time->seconds, (cx->now_us + 60 * US_PER_SECOND) / 1000000);
    test_must(call_as(fixture, cx, live_secret(fixture), "GetCaller"));
    test_must(call_as(fixture, cx, response->issued->secret, "RotateApiKey"));
    status = failure_of(fixture, cx, api_key_rotate, &req.base);
    assert_int_equal(status_reason(status), REASON_API_KEY_CLOSED);
    assert_string_equal(pair_of(status, "state"), "ROTATED");
    overlap.seconds = INT64_C(8) * 86400;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_rotate, &req.base)), REASON_FIELD_INVALID);
}

static void a_revoked_key_ends_at_once_and_stays_in_the_list_on_request(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__ApiKey key;
    Billingos__V1__CreateApiKeyRequest create = key_request(&key, "short-lived");
    Billingos__V1__RevokeApiKeyRequest revoke = BILLINGOS__V1__REVOKE_API_KEY_REQUEST__INIT;
    Billingos__V1__ListApiKeysRequest list = BILLINGOS__V1__LIST_API_KEYS_REQUEST__INIT;
    Billingos__V1__CreateApiKeyResponse *made = NULL;
    Billingos__V1__RevokeApiKeyResponse *revoked = NULL;
    Billingos__V1__ListApiKeysResponse *listed = NULL;

    test_must(call_as(fixture, cx, live_secret(fixture), "CreateApiKey"));
    cx->now_us += 10000; /* after the first keys */
    made = answer_of(fixture, cx, api_key_create, &create.base);
    test_must(call_as(fixture, cx, made->issued->secret, "RevokeApiKey"));
    revoke.api_key_id = made->issued->api_key->api_key_id;
    revoke.note = pb_text("posted in a chat");
    revoked = answer_of(fixture, cx, api_key_revoke, &revoke.base);
    assert_non_null(revoked->api_key->revoke_time);
    assert_int_equal(
        status_reason(call_as(fixture, cx, made->issued->secret, "GetCaller")),
        REASON_API_KEY_REVOKED);
    test_must(call_as(fixture, cx, live_secret(fixture), "RevokeApiKey"));
    answer_of(fixture, cx, api_key_revoke, &revoke.base);
    listed = answer_of(fixture, cx, api_key_list, &list.base);
    assert_int_equal(listed->n_api_keys, 2);
    list.include_closed = true;
    list.page_size = 2;
    listed = answer_of(fixture, cx, api_key_list, &list.base);
    assert_int_equal(listed->n_api_keys, 2);
    assert_string_equal(listed->api_keys[0]->name, "short-lived");
    assert_int_equal(
        listed->api_keys[0]->state, BILLINGOS__V1__API_KEY_STATE__API_KEY_STATE_REVOKED);
    list.page_token = listed->next_page_token;
    listed = answer_of(fixture, cx, api_key_list, &list.base);
    assert_int_equal(listed->n_api_keys, 1);
    assert_string_equal(listed->next_page_token, "");
    list.include_closed = false;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_list, &list.base)),
        REASON_PAGE_TOKEN_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ORGANIZATION_TEST(an_organization_is_made_once_for_a_request_id),
        ORGANIZATION_TEST(four_at_once_make_one_organization),
        ORGANIZATION_TEST(what_is_wrong_with_an_organization_is_named),
        ORGANIZATION_TEST(the_caller_is_told_who_it_is),
        ORGANIZATION_TEST(both_sides_change_at_once_and_only_what_is_masked),
        ORGANIZATION_TEST(a_secret_is_shown_once),
        ORGANIZATION_TEST(a_key_makes_no_key_that_may_do_more),
        ORGANIZATION_TEST(a_rotated_key_overlaps_and_cannot_be_rotated_again),
        ORGANIZATION_TEST(a_revoked_key_ends_at_once_and_stays_in_the_list_on_request),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, organization_fixture_schema, test_schema_drop);
}
