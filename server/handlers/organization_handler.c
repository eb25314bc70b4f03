#include "handlers/organization_handler.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "handlers/keyed_call.h"
#include "handlers/organization_pb.h"
#include "handlers/pb.h"
#include "services/api_keys.h"
#include "services/organizations.h"

/* The request with what was read from it beside it: keyed_call() hands the whole to the work, and
 * knows of the message alone. The secrets stay out of the answer that it keeps for a repeat. */
struct create_call {
    Billingos__V1__CreateOrganizationRequest req;
    struct organization_draft draft;
    const char *secrets[FIRST_KEYS];
};

struct update_call {
    Billingos__V1__UpdateOrganizationRequest req;
    struct organization_change change;
};

static struct status read_span(
    struct ctx *cx,
    const char *field,
    const Google__Protobuf__Duration *duration,
    int64_t min_seconds,
    int64_t max_seconds,
    int64_t *seconds) /* stays as it is when the duration is absent */
{
    int64_t span_us = 0;

    if (duration == NULL) {
        return STATUS_OK;
    }
    TRY(pb_read_duration(cx, field, duration, &span_us));
    if (span_us < min_seconds * US_PER_SECOND || span_us > max_seconds * US_PER_SECOND) {
        return status_field(
            cx, field, "must be %" PRId64 " to %" PRId64 " seconds", min_seconds, max_seconds);
    }
    *seconds = span_us / US_PER_SECOND;
    return STATUS_OK;
}

static struct status check_contact(struct ctx *cx, const Billingos__V1__Organization *message)
{
    if (message->country_code[0] != '\0' && !organization_country_valid(message->country_code)) {
        return status_field(
            cx, "organization.country_code", "must be two letters of ISO 3166-1, in upper case");
    }
    if (message->support_email[0] != '\0') {
        TRY(organization_pb_check_email(cx, "organization.support_email", message->support_email));
    }
    return pb_check_text(
        cx, "organization.time_zone", message->time_zone, 0, ORGANIZATION_TIME_ZONE_BYTES_MAX);
}

/* Everything but name, slug and currency, which are required on creation alone. */
static struct status read_settings(
    struct ctx *cx,
    const Billingos__V1__Organization *message,
    struct organization *ret_organization)
{
    TRY(check_contact(cx, message));
    TRY(read_span(
        cx,
        "organization.payment_grace",
        message->payment_grace,
        0,
        ORGANIZATION_GRACE_MAX_SECONDS,
        &ret_organization->payment_grace_seconds));
    TRY(read_span(
        cx,
        "organization.max_staleness",
        message->max_staleness,
        ORGANIZATION_STALENESS_MIN_SECONDS,
        ORGANIZATION_STALENESS_MAX_SECONDS,
        &ret_organization->max_staleness_seconds));
    TRY(pb_read_map(
        cx,
        "organization.metadata",
        message->n_metadata,
        message->metadata,
        &ret_organization->metadata));
    ret_organization->name = message->name;
    ret_organization->default_currency = message->default_currency_code;
    ret_organization->time_zone = message->time_zone[0] == '\0' ? "UTC" : message->time_zone;
    ret_organization->country = message->country_code;
    ret_organization->support_email = message->support_email;
    ret_organization->origins = (const char *const *)message->allowed_origins;
    ret_organization->origin_count = message->n_allowed_origins;
    return STATUS_OK;
}

static struct status create_read(struct ctx *cx, struct create_call *call)
{
    const Billingos__V1__Organization *message = call->req.organization;
    struct organization *organization = &call->draft.organization;

    if (message == NULL) {
        return status_field(cx, "organization", "is required");
    }
    TRY(organization_pb_check_letters(
        cx, "organization.name", message->name, 1, ORGANIZATION_NAME_LETTERS_MAX));
    if (message->slug[0] != '\0' && !organization_slug_valid(message->slug)) {
        return status_field(
            cx,
            "organization.slug",
            "must be 3 to 40 of a-z, 0-9 and \"-\", with none of the \"-\" at an end");
    }
    TRY(pb_check_text(
        cx, "organization.default_currency_code", message->default_currency_code, 1, 8));
    TRY(organization_pb_check_email(cx, "owner_email", call->req.owner_email));
    TRY(organization_pb_check_letters(
        cx, "owner_name", call->req.owner_name, 0, ORGANIZATION_NAME_LETTERS_MAX));
    organization->payment_grace_seconds = ORGANIZATION_GRACE_DEFAULT_SECONDS;
    organization->max_staleness_seconds = ORGANIZATION_STALENESS_DEFAULT_SECONDS;
    TRY(read_settings(cx, message, organization));
    organization->slug = message->slug;
    call->draft.owner_email = call->req.owner_email;
    call->draft.owner_name = call->req.owner_name;
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
    struct organization_founding founding;
    Billingos__V1__CreateOrganizationResponse *response = PB_NEW(
        cx,
        Billingos__V1__CreateOrganizationResponse,
        billingos__v1__create_organization_response__init);

    (void)services;
    TRY(organizations_create(cx, tx, &call->draft, &founding));
    response->organization = organization_pb(cx, &founding.organization);
    response->owner = organization_pb_member(cx, &founding.owner);
    response->n_api_keys = FIRST_KEYS;
    response->api_keys = arena_alloc(cx->arena, FIRST_KEYS * sizeof(Billingos__V1__IssuedApiKey *));
    for (size_t i = 0; i < FIRST_KEYS; i++) {
        response->api_keys[i] = organization_pb_issued(cx, &founding.keys[i].key, "");
        call->secrets[i] = founding.keys[i].secret;
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status create_once(
    struct ctx *cx, struct services *services, struct create_call *call, ProtobufCMessage **ret)
{
    const char *request_id =
        call->req.request_id[0] == '\0' ? cx->idempotency_key : call->req.request_id;
    struct organization place;

    TRY(organizations_reserve(cx, services, request_id, &place));
    call->draft.organization.organization_id = place.organization_id;
    call->draft.organization.org_id = place.org_id;
    return keyed_call(
        cx,
        services,
        &call->req.base,
        &call->req.request_id,
        &billingos__v1__create_organization_response__descriptor,
        create_work,
        ret);
}

struct status organization_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {.req = *PB_REQUEST(Billingos__V1__CreateOrganizationRequest, req)};
    Billingos__V1__CreateOrganizationResponse *response = NULL;
    struct status status;

    TRY(create_read(cx, &call));
    status = create_once(cx, services, &call, ret_response);
    if (organizations_raced(status)) {
        status = create_once(cx, services, &call, ret_response);
    }
    TRY(status);
    response = (Billingos__V1__CreateOrganizationResponse *)*ret_response;
    for (size_t i = 0; i < response->n_api_keys && i < FIRST_KEYS; i++) {
        response->api_keys[i]->secret = pb_text(call.secrets[i] == NULL ? "" : call.secrets[i]);
    }
    return STATUS_OK;
}

struct status organization_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__GetOrganizationResponse *response = PB_NEW(
        cx, Billingos__V1__GetOrganizationResponse, billingos__v1__get_organization_response__init);
    struct organization organization;

    (void)req;
    TRY(organizations_get(cx, services, &organization));
    response->organization = organization_pb(cx, &organization);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status organization_get_caller(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__GetCallerResponse *response =
        PB_NEW(cx, Billingos__V1__GetCallerResponse, billingos__v1__get_caller_response__init);
    struct organization organization;
    struct api_key key;

    (void)req;
    TRY(organizations_get(cx, services, &organization));
    TRY(api_keys_get(cx, services, &cx->caller.key_id, &key));
    response->organization = organization_pb(cx, &organization);
    response->mode = organization_pb_mode(cx->caller.live);
    response->actor = organization_pb_actor(cx, cx->caller.actor, key.name);
    organization_pb_scopes(cx, cx->caller.scopes, &response->n_scopes, &response->scopes);
    response->api_key = organization_pb_key(cx, &key);
    response->server_version = pb_text(BOS_VERSION);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

/* Which fields the mask names; without one, which are set. */
static uint32_t
update_fields(const Google__Protobuf__FieldMask *mask, const Billingos__V1__Organization *message)
{
    const struct {
        const char *path;
        enum organization_field field;
        bool populated;
    } fields[] = {
        {"name", ORGANIZATION_NAME, message->name[0] != '\0'},
        {"default_currency_code", ORGANIZATION_CURRENCY, message->default_currency_code[0] != '\0'},
        {"time_zone", ORGANIZATION_TIME_ZONE, message->time_zone[0] != '\0'},
        {"country_code", ORGANIZATION_COUNTRY, message->country_code[0] != '\0'},
        {"support_email", ORGANIZATION_SUPPORT_EMAIL, message->support_email[0] != '\0'},
        {"payment_grace", ORGANIZATION_GRACE, message->payment_grace != NULL},
        {"max_staleness", ORGANIZATION_STALENESS, message->max_staleness != NULL},
        {"allowed_origins", ORGANIZATION_ORIGINS, message->n_allowed_origins > 0},
        {"metadata", ORGANIZATION_METADATA, message->n_metadata > 0},
    };
    const bool masked = mask != NULL && mask->n_paths > 0;
    uint32_t chosen = 0;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (masked ? pb_masked(mask, fields[i].path) : fields[i].populated) {
            chosen |= fields[i].field;
        }
    }
    return chosen;
}

static struct status update_read(struct ctx *cx, struct update_call *call)
{
    /* What the server sets may be named and is passed over, as everywhere. */
    static const char *const allowed[] = {
        "name",
        "default_currency_code",
        "time_zone",
        "country_code",
        "support_email",
        "payment_grace",
        "max_staleness",
        "allowed_origins",
        "metadata",
        "org_id",
        "etag",
        "create_time",
        "update_time",
        NULL,
    };
    const Billingos__V1__Organization *message = call->req.organization;
    struct organization_change *change = &call->change;

    if (message == NULL) {
        return status_field(cx, "organization", "is required");
    }
    TRY(pb_check_mask(cx, call->req.update_mask, allowed));
    change->fields = update_fields(call->req.update_mask, message);
    change->etag = message->etag;
    change->values.payment_grace_seconds = ORGANIZATION_GRACE_DEFAULT_SECONDS;
    change->values.max_staleness_seconds = ORGANIZATION_STALENESS_DEFAULT_SECONDS;
    TRY(read_settings(cx, message, &change->values));
    if ((change->fields & ORGANIZATION_NAME) != 0) {
        TRY(organization_pb_check_letters(
            cx, "organization.name", message->name, 1, ORGANIZATION_NAME_LETTERS_MAX));
    }
    if ((change->fields & ORGANIZATION_CURRENCY) != 0) {
        TRY(pb_check_text(
            cx, "organization.default_currency_code", message->default_currency_code, 1, 8));
    }
    return STATUS_OK;
}

static struct status update_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct update_call *call = (const struct update_call *)(const void *)req;
    Billingos__V1__UpdateOrganizationResponse *response = PB_NEW(
        cx,
        Billingos__V1__UpdateOrganizationResponse,
        billingos__v1__update_organization_response__init);
    struct organization organization;

    (void)services;
    TRY(organizations_update(cx, tx, &call->change, &organization));
    response->organization = organization_pb(cx, &organization);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status organization_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct update_call call = {.req = *PB_REQUEST(Billingos__V1__UpdateOrganizationRequest, req)};

    TRY(update_read(cx, &call));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__update_organization_response__descriptor,
        update_work,
        ret_response);
}
