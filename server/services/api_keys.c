#include "services/api_keys.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "domain/event.h"
#include "domain/organization.h"
#include "domain/scope.h"
#include "services/audit.h"
#include "services/auth_cache.h"
#include "services/services.h"
#include "store/api_key_store.h"
#include "store/event_log.h"
#include "store/organization_store.h"

static const char *time_text(struct ctx *cx, int64_t time_us)
{
    char text[RFC3339_SIZE];

    if (time_us == 0) {
        return "";
    }
    wallclock_format(time_us, text);
    return arena_text(cx->arena, text);
}

static struct status check_held(struct ctx *cx, const struct api_key *key)
{
    const uint64_t missing = api_key_scopes(key->kind, key->scopes) & ~cx->caller.scopes;
    const char *scope = scope_text(missing & (~missing + 1)); /* the lowest one */

    if (missing == 0) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_fail(
            cx,
            REASON_SCOPE_NOT_HELD,
            "cannot make a key with the scope \"%s\": the calling key lacks it",
            scope),
        "scope",
        scope);
}

static struct status check_limit(struct ctx *cx, struct tx *tx)
{
    struct organization organization;
    struct status status;
    int64_t count = 0;

    TRY(organization_store_lock(cx, tx, &organization));
    TRY(api_key_store_count(cx, tx, &count));
    if (count < API_KEYS_MAX) {
        return STATUS_OK;
    }
    status = status_fail(
        cx,
        REASON_OBJECT_LIMIT_REACHED,
        "the organization has %d API keys that work",
        API_KEYS_MAX);
    status = status_pair(cx, status, "kind", "api_keys");
    return status_pair(cx, status, "max", arena_printf(cx->arena, "%d", API_KEYS_MAX));
}

struct status api_keys_issue(
    struct ctx *cx, struct tx *tx, const struct api_key *input, struct issued_key *ret_issued)
{
    struct issued_key issued = {.key = *input};
    uint8_t random[SECRET_RANDOM_BYTES];
    uint8_t hash[SHA256_SIZE];
    char secret[SECRET_TEXT_SIZE];
    char shown_start[SECRET_TEXT_SIZE];
    char shown_end[SECRET_HINT_SIZE];

    random_bytes(random, sizeof random);
    secret_format(api_key_form(input->kind, input->live), random, secret);
    secret_hint(secret, shown_start, shown_end);
    issued.secret = arena_text(cx->arena, secret);
    issued.key.key_id = id_new(cx->now_us);
    issued.key.shown_start = arena_text(cx->arena, shown_start);
    issued.key.shown_end = arena_text(cx->arena, shown_end);
    issued.key.created_by = cx->caller.actor;
    issued.key.created_us = cx->now_us;
    sha256(issued.secret, str_of(issued.secret).len, hash);
    TRY(api_key_store_insert(cx, tx, &issued.key, hash));
    *ret_issued = issued;
    return STATUS_OK;
}

static struct status check_mode(struct ctx *cx, bool live)
{
    struct status status;

    if (live == cx->caller.live) {
        return STATUS_OK;
    }
    status = status_of(cx, REASON_MODE_MISMATCH);
    status = status_pair(cx, status, "mode", live ? "LIVE" : "TEST");
    return status_pair(cx, status, "key_mode", cx->caller.live ? "LIVE" : "TEST");
}

struct status api_keys_create(
    struct ctx *cx, struct tx *tx, const struct api_key *input, struct issued_key *ret_issued)
{
    struct audit_changes changes = {0};
    struct api_key key = *input;

    TRY(check_mode(cx, input->live));
    TRY(check_held(cx, input));
    if (input->expires_us != 0 && input->expires_us <= cx->now_us) {
        return status_field(cx, "api_key.expire_time", "must lie in the future");
    }
    TRY(check_limit(cx, tx));
    key.org_id = cx->caller.org_id;
    TRY(api_keys_issue(cx, tx, &key, ret_issued));
    audit_note(&changes, "name", "", key.name);
    audit_note(&changes, "kind", "", api_key_kind_name(key.kind));
    audit_note(&changes, "expire_time", "", time_text(cx, key.expires_us));
    log_info(cx, "API key created", LOG_ID("key", ID_KEY, &ret_issued->key.key_id));
    return audit_add(
        cx, tx, "api_key", id_text(cx->arena, ID_KEY, &ret_issued->key.key_id), &changes);
}

static struct status check_open(struct ctx *cx, const struct api_key *key)
{
    const enum api_key_state state = api_key_state(key, cx->now_us);
    const char *text = id_text(cx->arena, ID_KEY, &key->key_id);
    struct status status;

    if (state == API_KEY_ACTIVE) {
        return STATUS_OK;
    }
    status = status_fail(
        cx,
        REASON_API_KEY_CLOSED,
        "cannot rotate API key \"%s\": it is %s",
        text,
        api_key_state_name(state));
    status = status_pair(cx, status, "api_key_id", text);
    return status_pair(cx, status, "state", api_key_state_name(state));
}

static struct status tell_change(struct ctx *cx, struct tx *tx, const struct id *key_id)
{
    const struct event event = {
        .type = EVENT_API_KEY_CHANGED,
        .payload =
            arena_printf(cx->arena, "{\"api_key_id\":\"%s\"}", id_text(cx->arena, ID_KEY, key_id)),
    };

    return event_log_add(cx, tx, &event);
}

struct status api_keys_rotate(
    struct ctx *cx,
    struct tx *tx,
    const struct id *key_id,
    int64_t overlap_us,
    struct issued_key *ret_issued,
    struct api_key *ret_old)
{
    struct audit_changes changes = {0};
    struct issued_key issued;
    struct api_key old;
    struct api_key key;
    int64_t old_expires_us = 0;

    TRY(api_key_store_lock(cx, tx, key_id, &old));
    TRY(check_open(cx, &old));
    TRY(check_held(cx, &old));
    if (overlap_us > 0) {
        TRY(check_limit(cx, tx)); /* without an overlap the new one takes the place of the old */
    }
    key = old;
    key.replaces = old.key_id;
    key.last_used_us = 0;
    TRY(api_keys_issue(cx, tx, &key, &issued));
    old_expires_us = old.expires_us;
    if (old.expires_us == 0 || old.expires_us > cx->now_us + overlap_us) {
        old.expires_us = cx->now_us + overlap_us;
    }
    old.rotated_to = issued.key.key_id;
    TRY(api_key_store_update(cx, tx, &old));
    TRY(tell_change(cx, tx, &old.key_id));
    audit_note(
        &changes, "expire_time", time_text(cx, old_expires_us), time_text(cx, old.expires_us));
    audit_note(&changes, "rotated_to", "", id_text(cx->arena, ID_KEY, &issued.key.key_id));
    log_info(cx, "API key rotated", LOG_ID("key", ID_KEY, key_id));
    TRY(audit_add(cx, tx, "api_key", id_text(cx->arena, ID_KEY, key_id), &changes));
    *ret_issued = issued;
    *ret_old = old;
    return STATUS_OK;
}

struct status api_keys_revoke(
    struct ctx *cx,
    struct tx *tx,
    const struct id *key_id,
    const char *note,
    struct api_key *ret_key)
{
    struct audit_changes changes = {0};
    struct api_key key;

    TRY(api_key_store_lock(cx, tx, key_id, &key));
    if (key.revoked_us == 0) {
        key.revoked_us = cx->now_us;
        TRY(api_key_store_update(cx, tx, &key));
        TRY(tell_change(cx, tx, key_id));
        audit_note(&changes, "revoke_time", "", time_text(cx, key.revoked_us));
        audit_note(&changes, "note", "", note);
        log_info(cx, "API key revoked", LOG_ID("key", ID_KEY, key_id));
        TRY(audit_add(cx, tx, "api_key", id_text(cx->arena, ID_KEY, key_id), &changes));
    }
    *ret_key = key;
    return STATUS_OK;
}

void api_keys_forget(struct services *services, const struct id *key_id)
{
    if (services->auth != NULL) {
        auth_cache_drop(services->auth, key_id);
    }
}

struct status api_keys_get(
    struct ctx *cx, struct services *services, const struct id *key_id, struct api_key *ret_key)
{
    return api_key_store_load(cx, services->db, key_id, ret_key);
}

struct status api_keys_list(
    struct ctx *cx,
    struct services *services,
    bool include_closed,
    const struct id *before,
    int32_t max,
    struct api_key **ret_keys,
    size_t *ret_count)
{
    return api_key_store_list(cx, services->db, include_closed, before, max, ret_keys, ret_count);
}
