#pragma once

/* A database with the whole schema, services on it, and an organisation with its first keys. Needs
 * tests/unit/store on the include path. */

#include "base/heap.h"
#include "database.h"
#include "domain/scope.h"
#include "services/auth_cache.h"
#include "services/organizations.h"
#include "services/services.h"
#include "store/schema.h"

struct organization_fixture {
    struct services_settings settings;
    struct services services;
    struct arena arena; /* of the founding */
    struct ctx cx;
    struct organization_founding founding;
};

struct found_request {
    const struct organization_draft *draft;
    struct organization_founding *ret;
};

static inline struct status organization_fixture_work(struct ctx *cx, struct tx *tx, void *user)
{
    struct found_request *request = user;

    return organizations_create(cx, tx, request->draft, request->ret);
}

static inline int organization_fixture_schema(void **state)
{
    TEST_CALL(call);
    struct db *db = NULL;
    size_t applied = 0;

    test_schema_create(state);
    db = test_db(1);
    test_must(schema_up(&call.cx, db, &SCHEMA, &applied));
    db_free(db);
    return 0;
}

/* One more organisation, as the command line would make it. */
static inline void organization_fixture_found(
    struct ctx *cx,
    struct services *services,
    const char *name,
    struct organization_founding *ret_founding)
{
    struct organization_draft draft = {.owner_email = "ada@example.com", .owner_name = "Ada"};
    struct found_request request = {&draft, ret_founding};

    cx->caller.actor = "cli";
    test_must(organizations_reserve(cx, services, "", &draft.organization));
    draft.organization.name = name;
    draft.organization.slug = "";
    draft.organization.default_currency = "EUR";
    draft.organization.time_zone = "Europe/Berlin";
    draft.organization.country = "DE";
    draft.organization.support_email = "";
    draft.organization.metadata = "{}";
    draft.organization.payment_grace_seconds = ORGANIZATION_GRACE_DEFAULT_SECONDS;
    draft.organization.max_staleness_seconds = ORGANIZATION_STALENESS_DEFAULT_SECONDS;
    test_must(tx_run(cx, services->db, organization_fixture_work, &request));
}

static inline int organization_fixture_setup(void **state)
{
    static const struct auth_cache_config cache = {
        .keys_max = 100, .lifetime_ms = 30000, .stale_ms_max = 60000};
    struct organization_fixture *fixture = heap_new(sizeof *fixture);

    fixture->settings = (struct services_settings){
        .bootstrap_token_hash = "",
        .page_token_secret = "a secret of the test",
        .max_staleness_ms = 60000,
        .api_key_cache_ms = 30000,
    };
    fixture->services.settings = &fixture->settings;
    fixture->services.db = test_db(4);
    fixture->services.auth = auth_cache_new(&cache);
    arena_init(&fixture->arena, NULL, 0, TEST_ARENA_BYTES);
    ctx_init(&fixture->cx, &fixture->arena, "org create");
    organization_fixture_found(&fixture->cx, &fixture->services, "Acme", &fixture->founding);
    *state = fixture;
    return 0;
}

static inline int organization_fixture_teardown(void **state)
{
    struct organization_fixture *fixture = *state;

    auth_cache_free(fixture->services.auth);
    db_free(fixture->services.db);
    arena_release(&fixture->arena);
    heap_free(fixture);
    return 0;
}

#define ORGANIZATION_TEST(function)  \
    cmocka_unit_test_setup_teardown( \
        function, organization_fixture_setup, organization_fixture_teardown)
