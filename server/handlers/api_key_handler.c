#include <string.h>

#include "base/arena.h"
#include "domain/scope.h"
#include "handlers/id_page.h"
#include "handlers/keyed_call.h"
#include "handlers/organization_handler.h"
#include "handlers/organization_pb.h"
#include "handlers/pb.h"
#include "services/api_keys.h"

#define NAME_LETTERS_MAX 100
#define NOTE_LETTERS_MAX 500

/* The requests with what was read from them beside them; the secret stays out of the answer that is
 * kept for a repeat. */
struct create_call {
    Billingos__V1__CreateApiKeyRequest req;
    struct api_key input;
    const char *secret;
};

struct rotate_call {
    Billingos__V1__RotateApiKeyRequest req;
    struct id key_id;
    int64_t overlap_us;
    const char *secret;
};

struct revoke_call {
    Billingos__V1__RevokeApiKeyRequest req;
    struct id key_id;
};

static struct status
read_mode(struct ctx *cx, const char *field, Billingos__V1__Mode mode, bool *ret_live)
{
    if (mode != BILLINGOS__V1__MODE__MODE_LIVE && mode != BILLINGOS__V1__MODE__MODE_TEST) {
        return status_field(cx, field, "must be one of LIVE and TEST");
    }
    *ret_live = mode == BILLINGOS__V1__MODE__MODE_LIVE;
    return STATUS_OK;
}

static struct status
read_kind(struct ctx *cx, Billingos__V1__ApiKeyKind kind, enum key_kind *ret_kind)
{
    switch (kind) {
    case BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_SECRET:
        *ret_kind = KEY_SECRET;
        return STATUS_OK;
    case BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_PUBLISHABLE:
        *ret_kind = KEY_PUBLISHABLE;
        return STATUS_OK;
    case BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_RESTRICTED:
        *ret_kind = KEY_RESTRICTED;
        return STATUS_OK;
    default:
        return status_field(
            cx, "api_key.kind", "must be one of SECRET, PUBLISHABLE and RESTRICTED");
    }
}

static struct status
read_scopes(struct ctx *cx, const Billingos__V1__ApiKey *message, struct api_key *key)
{
    if ((message->n_scopes > 0) != (key->kind == KEY_RESTRICTED)) {
        return status_field(
            cx,
            "api_key.scopes",
            key->kind == KEY_RESTRICTED ? "is required for a RESTRICTED key"
                                        : "must be empty unless the key is RESTRICTED");
    }
    for (size_t i = 0; i < message->n_scopes; i++) {
        uint64_t scope = 0;

        if (!scope_parse(message->scopes[i], &scope)) {
            return status_pair(
                cx,
                status_fail(
                    cx, REASON_SCOPE_UNKNOWN, "there is no scope \"%.64s\"", message->scopes[i]),
                "scope",
                arena_printf(cx->arena, "%.64s", message->scopes[i]));
        }
        key->scopes |= scope;
    }
    return STATUS_OK;
}

static struct status create_read(struct ctx *cx, struct create_call *call)
{
    const Billingos__V1__ApiKey *message = call->req.api_key;

    if (message == NULL) {
        return status_field(cx, "api_key", "is required");
    }
    TRY(organization_pb_check_letters(cx, "api_key.name", message->name, 1, NAME_LETTERS_MAX));
    TRY(read_kind(cx, message->kind, &call->input.kind));
    TRY(read_mode(cx, "api_key.mode", message->mode, &call->input.live));
    TRY(read_scopes(cx, message, &call->input));
    TRY(pb_read_time(cx, "api_key.expire_time", message->expire_time, &call->input.expires_us));
    if (message->n_allowed_addresses > 0) {
        /* Taken and not enforced would be worse than refused. */
        return status_field(cx, "api_key.allowed_addresses", "is not supported yet");
    }
    call->input.name = message->name;
    return STATUS_OK;
}

static struct status create_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    struct create_call *call = (struct create_call *)(uintptr_t)req;
    Billingos__V1__CreateApiKeyResponse *response = PB_NEW(
        cx, Billingos__V1__CreateApiKeyResponse, billingos__v1__create_api_key_response__init);
    struct issued_key issued;

    (void)services;
    TRY(api_keys_create(cx, tx, &call->input, &issued));
    call->secret = issued.secret;
    response->issued = organization_pb_issued(cx, &issued.key, "");
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status api_key_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {
        .req = *PB_REQUEST(Billingos__V1__CreateApiKeyRequest, req),
        .secret = "",
    };
    Billingos__V1__CreateApiKeyResponse *response = NULL;

    TRY(create_read(cx, &call));
    TRY(keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__create_api_key_response__descriptor,
        create_work,
        ret_response));
    response = (Billingos__V1__CreateApiKeyResponse *)*ret_response;
    response->issued->secret = pb_text(call.secret);
    return STATUS_OK;
}

static struct status list_check_mode(struct ctx *cx, Billingos__V1__Mode mode)
{
    struct status status;
    bool live = false;

    if (mode == BILLINGOS__V1__MODE__MODE_UNSPECIFIED) {
        return STATUS_OK;
    }
    TRY(read_mode(cx, "mode", mode, &live));
    if (live == cx->caller.live) {
        return STATUS_OK;
    }
    status = status_pair(cx, status_of(cx, REASON_MODE_MISMATCH), "mode", live ? "LIVE" : "TEST");
    return status_pair(cx, status, "key_mode", cx->caller.live ? "LIVE" : "TEST");
}

struct status api_key_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListApiKeysRequest *request =
        PB_REQUEST(Billingos__V1__ListApiKeysRequest, req);
    Billingos__V1__ListApiKeysResponse *response =
        PB_NEW(cx, Billingos__V1__ListApiKeysResponse, billingos__v1__list_api_keys_response__init);
    struct api_key *keys = NULL;
    struct id_page page;
    size_t fetched = 0;

    TRY(list_check_mode(cx, request->mode));
    TRY(id_page_read(
        cx,
        services,
        request->page_size,
        request->page_token,
        request->include_closed ? "api_keys all" : "api_keys",
        &page));
    TRY(api_keys_list(
        cx, services, request->include_closed, &page.start, page.fetch, &keys, &fetched));
    response->n_api_keys = id_page_shown(&page, fetched);
    response->api_keys = arena_alloc(cx->arena, ID_PAGE_MAX * sizeof(Billingos__V1__ApiKey *));
    for (size_t i = 0; i < response->n_api_keys; i++) {
        response->api_keys[i] = organization_pb_key(cx, &keys[i]);
        response->next_page_token = id_page_next(cx, services, &page, fetched, &keys[i].key_id);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status rotate_read(struct ctx *cx, struct rotate_call *call)
{
    TRY(pb_read_id(cx, "api_key_id", ID_KEY, call->req.api_key_id, &call->key_id));
    call->overlap_us = API_KEY_OVERLAP_DEFAULT_US;
    if (call->req.overlap != NULL) {
        TRY(pb_read_duration(cx, "overlap", call->req.overlap, &call->overlap_us));
    }
    if (call->overlap_us > API_KEY_OVERLAP_MAX_US) {
        return status_field(cx, "overlap", "must be at most 7 days");
    }
    return STATUS_OK;
}

static struct status rotate_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    struct rotate_call *call = (struct rotate_call *)(uintptr_t)req;
    Billingos__V1__RotateApiKeyResponse *response = PB_NEW(
        cx, Billingos__V1__RotateApiKeyResponse, billingos__v1__rotate_api_key_response__init);
    struct issued_key issued;
    struct api_key old;

    (void)services;
    TRY(api_keys_rotate(cx, tx, &call->key_id, call->overlap_us, &issued, &old));
    call->secret = issued.secret;
    response->issued = organization_pb_issued(cx, &issued.key, "");
    response->old_api_key = organization_pb_key(cx, &old);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status api_key_rotate(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct rotate_call call = {
        .req = *PB_REQUEST(Billingos__V1__RotateApiKeyRequest, req),
        .secret = "",
    };
    Billingos__V1__RotateApiKeyResponse *response = NULL;

    TRY(rotate_read(cx, &call));
    TRY(keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__rotate_api_key_response__descriptor,
        rotate_work,
        ret_response));
    api_keys_forget(services, &call.key_id);
    response = (Billingos__V1__RotateApiKeyResponse *)*ret_response;
    response->issued->secret = pb_text(call.secret);
    return STATUS_OK;
}

static struct status revoke_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct revoke_call *call = (const struct revoke_call *)(const void *)req;
    Billingos__V1__RevokeApiKeyResponse *response = PB_NEW(
        cx, Billingos__V1__RevokeApiKeyResponse, billingos__v1__revoke_api_key_response__init);
    struct api_key key;

    (void)services;
    TRY(api_keys_revoke(cx, tx, &call->key_id, call->req.note, &key));
    response->api_key = organization_pb_key(cx, &key);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status api_key_revoke(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct revoke_call call = {.req = *PB_REQUEST(Billingos__V1__RevokeApiKeyRequest, req)};

    TRY(pb_read_id(cx, "api_key_id", ID_KEY, call.req.api_key_id, &call.key_id));
    TRY(organization_pb_check_letters(cx, "note", call.req.note, 0, NOTE_LETTERS_MAX));
    TRY(keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__revoke_api_key_response__descriptor,
        revoke_work,
        ret_response));
    api_keys_forget(services, &call.key_id);
    return STATUS_OK;
}
