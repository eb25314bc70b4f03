#pragma once

/* What the tests of OrganizationService share: calls as a caller of the API makes them. */

#include <billingos/v1/organization_service.pb-c.h>
#include <pthread.h>

#include "base/wallclock.h"
#include "handlers/organization_handler.h"
#include "handlers/pb.h"
#include "organization_fixture.h"
#include "rpc/rpc_method.h"
#include "services/auth.h"

#define MODE_LIVE BILLINGOS__V1__MODE__MODE_LIVE
#define MODE_TEST BILLINGOS__V1__MODE__MODE_TEST

/* One call with a fresh arena, as the transport makes it; the caller is the key with this secret.
 */
static inline struct status call_as(
    struct organization_fixture *fixture, struct ctx *cx, const char *secret, const char *method)
{
    cx->method = arena_printf(cx->arena, "billingos.v1.OrganizationService/%s", method);
    cx->idempotency_key = "";
    return auth_authorize(cx, &fixture->services, 0, arena_printf(cx->arena, "Bearer %s", secret));
}

static inline void *answer_of(
    struct organization_fixture *fixture,
    struct ctx *cx,
    rpc_unary_fn method,
    ProtobufCMessage *req)
{
    ProtobufCMessage *response = NULL;

    test_must(method(cx, &fixture->services, req, &response));
    assert_false(arena_failed(cx->arena));
    return response;
}

static inline struct status failure_of(
    struct organization_fixture *fixture,
    struct ctx *cx,
    rpc_unary_fn method,
    ProtobufCMessage *req)
{
    ProtobufCMessage *response = NULL;
    const struct status status = method(cx, &fixture->services, req, &response);

    assert_int_not_equal(status.code, CODE_OK);
    return status;
}

static inline const char *pair_of(struct status status, const char *key)
{
    for (size_t i = 0; i < status.error->pair_count; i++) {
        if (strcmp(status.error->pairs[i].key, key) == 0) {
            return status.error->pairs[i].value;
        }
    }
    return "";
}

static inline const char *live_secret(const struct organization_fixture *fixture)
{
    return fixture->founding.keys[0].secret;
}

static inline const char *test_secret(const struct organization_fixture *fixture)
{
    return fixture->founding.keys[2].secret;
}

static inline Billingos__V1__CreateApiKeyRequest
key_request(Billingos__V1__ApiKey *key, const char *name)
{
    Billingos__V1__CreateApiKeyRequest req = BILLINGOS__V1__CREATE_API_KEY_REQUEST__INIT;

    billingos__v1__api_key__init(key);
    key->name = pb_text(name);
    key->kind = BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_SECRET;
    key->mode = MODE_LIVE;
    req.api_key = key;
    return req;
}
