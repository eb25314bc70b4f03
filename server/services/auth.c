#include "services/auth.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "domain/api_key.h"
#include "domain/scope.h"
#include "services/auth_cache.h"
#include "services/services.h"
#include "store/api_key_store.h"

#define USES_PER_STATEMENT 500
#define HASH_LETTERS ((size_t)2 * SHA256_SIZE)

static struct status
with_time(struct ctx *cx, struct status status, const char *name, int64_t time_us)
{
    char text[RFC3339_SIZE];

    wallclock_format(time_us, text);
    return status_pair(cx, status, name, text);
}

static struct status check_state(struct ctx *cx, const struct auth_key *key)
{
    struct status status;

    if (!key->known) {
        return status_of(cx, REASON_API_KEY_INVALID);
    }
    if (key->revoked_us != 0) {
        status = status_of(cx, REASON_API_KEY_REVOKED);
        status = status_pair(cx, status, "api_key_id", id_text(cx->arena, ID_KEY, &key->key_id));
        return with_time(cx, status, "revoke_time", key->revoked_us);
    }
    if (key->expires_us != 0 && key->expires_us <= cx->now_us) {
        status = status_of(cx, REASON_API_KEY_EXPIRED);
        status = status_pair(cx, status, "api_key_id", id_text(cx->arena, ID_KEY, &key->key_id));
        return with_time(cx, status, "expire_time", key->expires_us);
    }
    return STATUS_OK;
}

static struct status check_scope(struct ctx *cx, uint64_t scope)
{
    const char *slash = strrchr(cx->method, '/');
    struct status status;

    if ((scope & ~cx->caller.scopes) == 0) {
        return STATUS_OK;
    }
    status = status_fail(
        cx, REASON_SCOPE_MISSING, "the API key lacks the scope \"%s\"", scope_text(scope));
    status = status_pair(cx, status, "scope", scope_text(scope));
    status = status_pair(cx, status, "method", slash == NULL ? cx->method : slash + 1);
    return status_pair(cx, status, "api_key_id", id_text(cx->arena, ID_KEY, &cx->caller.key_id));
}

/* The bootstrap token makes organisations and is nothing else: without one of its own it would meet
 * methods that are open to any key with no organisation to answer about. */
static struct status authorize_bootstrap(
    struct ctx *cx, const struct services_settings *settings, uint64_t scope, struct str secret)
{
    uint8_t hash[SHA256_SIZE];
    char hex[HASH_LETTERS + 1];

    sha256(secret.ptr, secret.len, hash);
    hex_format(hash, sizeof hash, hex);
    if (strlen(settings->bootstrap_token_hash) != HASH_LETTERS ||
        !bytes_equal(hex, settings->bootstrap_token_hash, HASH_LETTERS)) {
        return status_of(cx, REASON_BOOTSTRAP_TOKEN_INVALID);
    }
    cx->caller = (struct caller){
        .kind = KEY_BOOTSTRAP,
        .scopes = SCOPE_BOOTSTRAP,
        .actor = "bootstrap",
    };
    if (scope != SCOPE_BOOTSTRAP) {
        return status_fail(
            cx, REASON_SCOPE_MISSING, "the bootstrap token can only create organizations");
    }
    return STATUS_OK;
}

static struct auth_key key_of(const struct api_key_credential *credential)
{
    const struct api_key *key = &credential->key;

    return (struct auth_key){
        .known = true,
        .org_id = key->org_id,
        .organization_id = credential->organization_id,
        .key_id = key->key_id,
        .kind = key->kind,
        .scopes = api_key_scopes(key->kind, key->scopes),
        .expires_us = key->expires_us,
        .revoked_us = key->revoked_us,
        .last_used_us = key->last_used_us,
    };
}

static struct status load_key(
    struct ctx *cx,
    struct services *services,
    const uint8_t hash[SHA256_SIZE],
    struct auth_key *ret_key)
{
    const uint64_t generation = auth_cache_generation(services->auth);
    struct api_key_credential credential;
    struct auth_key key = {.known = false};
    bool found = false;

    if (!cx->may_block) {
        return status_of(cx, REASON_WOULD_BLOCK);
    }
    TRY(api_key_store_find(cx, services->db, hash, &found, &credential));
    if (found) {
        key = key_of(&credential);
    }
    auth_cache_put(services->auth, hash, &key, generation);
    *ret_key = key;
    return STATUS_OK;
}

static bool is_away(struct status status)
{
    return status_reason(status) == REASON_DATABASE_UNAVAILABLE ||
           status_reason(status) == REASON_SERVER_OVERLOADED;
}

static struct status
find_key(struct ctx *cx, struct services *services, struct str secret, struct auth_key *ret_key)
{
    enum secret_form form = SECRET_FORM_COUNT;
    uint8_t hash[SHA256_SIZE];
    struct status status;

    sha256(secret.ptr, secret.len, hash);
    switch (auth_cache_get(services->auth, hash, cx, ret_key)) {
    case AUTH_FRESH:
        return STATUS_OK;
    case AUTH_EXPIRED:
        status = load_key(cx, services, hash, ret_key);
        if (!is_away(status)) {
            return status;
        }
        status_ignore(cx, status, "could not read an API key anew");
        return STATUS_OK;
    case AUTH_ABSENT:
        break;
    }
    if (!secret_parse(secret, &form)) {
        return status_of(cx, REASON_API_KEY_INVALID);
    }
    return load_key(cx, services, hash, ret_key);
}

struct status
auth_authorize(struct ctx *cx, struct services *services, uint64_t scope, const char *authorization)
{
    enum secret_form form = SECRET_FORM_COUNT;
    enum key_kind kind = KEY_NONE;
    bool live = false;
    struct str secret = {NULL, 0};
    struct auth_key key;

    if (!secret_from_bearer(authorization, &secret)) {
        return status_of(cx, REASON_API_KEY_MISSING);
    }
    if (!secret_form_of(secret, &form)) {
        return status_of(cx, REASON_API_KEY_INVALID);
    }
    if (form == SECRET_BOOTSTRAP_TOKEN) {
        return authorize_bootstrap(cx, services->settings, scope, secret);
    }
    if (!api_key_of_form(form, &kind, &live)) {
        return status_of(cx, REASON_API_KEY_INVALID);
    }
    TRY(find_key(cx, services, secret, &key));
    TRY(check_state(cx, &key));
    cx->caller = (struct caller){
        .org_id = key.org_id,
        .org = key.organization_id,
        .live = live,
        .kind = key.kind,
        .key_id = key.key_id,
        .scopes = key.scopes,
        .actor = id_text(cx->arena, ID_KEY, &key.key_id),
    };
    return check_scope(cx, scope);
}

struct status auth_write_last_used(struct ctx *cx, struct services *services)
{
    struct api_key_use uses[USES_PER_STATEMENT];
    size_t count = USES_PER_STATEMENT;

    while (count == USES_PER_STATEMENT) {
        count = auth_cache_take_uses(services->auth, uses, USES_PER_STATEMENT);
        if (count == 0) {
            break;
        }
        TRY(api_key_store_note_uses(cx, services->db, uses, count));
    }
    return STATUS_OK;
}

/* The payload is ours, {"api_key_id": "key_..."}: looking for the id is reading enough, and needs
 * no memory. */
void auth_key_changed(struct services *services, const char *payload)
{
    const char *start = strstr(payload, "\"key_");
    char text[ID_TEXT_SIZE];
    struct id key_id;

    if (start != NULL) {
        snprintf(text, sizeof text, "%.*s", (int)strcspn(start + 1, "\""), start + 1);
    }
    if (start != NULL && id_parse(ID_KEY, text, &key_id)) {
        auth_cache_drop(services->auth, &key_id);
    } else {
        auth_cache_drop_all(services->auth);
    }
}
