#include "handlers/organization_pb.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/wallclock.h"
#include "domain/scope.h"
#include "handlers/pb.h"

static char *etag_of(struct ctx *cx, int64_t version)
{
    return arena_printf(cx->arena, "%" PRId64, version);
}

Billingos__V1__Organization *
organization_pb(struct ctx *cx, const struct organization *organization)
{
    Billingos__V1__Organization *message =
        PB_NEW(cx, Billingos__V1__Organization, billingos__v1__organization__init);

    message->org_id = pb_id(cx, ID_ORGANIZATION, &organization->organization_id);
    message->name = pb_text(organization->name);
    message->slug = pb_text(organization->slug);
    message->default_currency_code = pb_text(organization->default_currency);
    message->time_zone = pb_text(organization->time_zone);
    message->country_code = pb_text(organization->country);
    message->support_email = pb_text(organization->support_email);
    message->payment_grace = pb_duration(cx, organization->payment_grace_seconds * US_PER_SECOND);
    message->max_staleness = pb_duration(cx, organization->max_staleness_seconds * US_PER_SECOND);
    message->n_allowed_origins = organization->origin_count;
    message->allowed_origins = (char **)(uintptr_t)organization->origins;
    message->metadata = pb_map(
        cx,
        organization->metadata,
        &billingos__v1__organization__metadata_entry__descriptor,
        &message->n_metadata);
    message->etag = etag_of(cx, organization->version);
    message->create_time = pb_time(cx, organization->created_us);
    message->update_time = pb_time(cx, organization->updated_us);
    return message;
}

Billingos__V1__Mode organization_pb_mode(bool live)
{
    return live ? BILLINGOS__V1__MODE__MODE_LIVE : BILLINGOS__V1__MODE__MODE_TEST;
}

void organization_pb_scopes(struct ctx *cx, uint64_t scopes, size_t *ret_count, char ***ret_scopes)
{
    size_t count = 0;
    char **texts = arena_alloc(cx->arena, SCOPE_BIT_COUNT * sizeof *texts);

    for (uint32_t bit = 0; bit < SCOPE_BIT_COUNT; bit++) {
        if ((scopes & UINT64_C(1) << bit) != 0) {
            texts[count++] = pb_text(scope_text(UINT64_C(1) << bit));
        }
    }
    *ret_count = count;
    *ret_scopes = texts;
}

static Billingos__V1__ApiKeyKind kind_of(enum key_kind kind)
{
    switch (kind) {
    case KEY_SECRET:
        return BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_SECRET;
    case KEY_PUBLISHABLE:
        return BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_PUBLISHABLE;
    case KEY_RESTRICTED:
        return BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_RESTRICTED;
    case KEY_NONE:
    case KEY_BOOTSTRAP:
        break;
    }
    return BILLINGOS__V1__API_KEY_KIND__API_KEY_KIND_UNSPECIFIED;
}

static Billingos__V1__ApiKeyState key_state_of(enum api_key_state state)
{
    switch (state) {
    case API_KEY_ACTIVE:
        return BILLINGOS__V1__API_KEY_STATE__API_KEY_STATE_ACTIVE;
    case API_KEY_ROTATED:
        return BILLINGOS__V1__API_KEY_STATE__API_KEY_STATE_ROTATED;
    case API_KEY_EXPIRED:
        return BILLINGOS__V1__API_KEY_STATE__API_KEY_STATE_EXPIRED;
    case API_KEY_REVOKED:
        return BILLINGOS__V1__API_KEY_STATE__API_KEY_STATE_REVOKED;
    }
    return BILLINGOS__V1__API_KEY_STATE__API_KEY_STATE_UNSPECIFIED;
}

Billingos__V1__ApiKey *organization_pb_key(struct ctx *cx, const struct api_key *key)
{
    Billingos__V1__ApiKey *message =
        PB_NEW(cx, Billingos__V1__ApiKey, billingos__v1__api_key__init);

    message->api_key_id = pb_id(cx, ID_KEY, &key->key_id);
    message->name = pb_text(key->name);
    message->kind = kind_of(key->kind);
    message->mode = organization_pb_mode(key->live);
    organization_pb_scopes(cx, key->scopes, &message->n_scopes, &message->scopes);
    message->hint = arena_printf(cx->arena, "%s...%s", key->shown_start, key->shown_end);
    message->state = key_state_of(api_key_state(key, cx->now_us));
    message->expire_time = pb_time(cx, key->expires_us);
    message->last_used_time = pb_time(cx, key->last_used_us);
    message->revoke_time = pb_time(cx, key->revoked_us);
    message->creator = pb_text(key->created_by);
    message->replaces_api_key_id = pb_id(cx, ID_KEY, &key->replaces);
    message->create_time = pb_time(cx, key->created_us);
    return message;
}

Billingos__V1__IssuedApiKey *
organization_pb_issued(struct ctx *cx, const struct api_key *key, const char *secret)
{
    Billingos__V1__IssuedApiKey *message =
        PB_NEW(cx, Billingos__V1__IssuedApiKey, billingos__v1__issued_api_key__init);

    message->api_key = organization_pb_key(cx, key);
    message->secret = pb_text(secret);
    return message;
}

static Billingos__V1__MemberRole role_of(enum member_role role)
{
    switch (role) {
    case MEMBER_OWNER:
        return BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_OWNER;
    case MEMBER_ADMIN:
        return BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_ADMIN;
    case MEMBER_DEVELOPER:
        return BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_DEVELOPER;
    case MEMBER_VIEWER:
        return BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_VIEWER;
    case MEMBER_ROLE_COUNT:
        break;
    }
    return BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_UNSPECIFIED;
}

Billingos__V1__Member *organization_pb_member(struct ctx *cx, const struct member *member)
{
    Billingos__V1__Member *message = PB_NEW(cx, Billingos__V1__Member, billingos__v1__member__init);

    message->member_id = pb_id(cx, ID_MEMBER, &member->member_id);
    message->email = pb_text(member->email);
    message->name = pb_text(member->name);
    message->role = role_of(member->role);
    message->etag = etag_of(cx, member->version);
    message->create_time = pb_time(cx, member->created_us);
    return message;
}

static Billingos__V1__InvitationState invitation_state_of(enum invitation_state state)
{
    switch (state) {
    case INVITATION_OPEN:
        return BILLINGOS__V1__INVITATION_STATE__INVITATION_STATE_OPEN;
    case INVITATION_ACCEPTED:
        return BILLINGOS__V1__INVITATION_STATE__INVITATION_STATE_ACCEPTED;
    case INVITATION_REVOKED:
        return BILLINGOS__V1__INVITATION_STATE__INVITATION_STATE_REVOKED;
    case INVITATION_EXPIRED:
        return BILLINGOS__V1__INVITATION_STATE__INVITATION_STATE_EXPIRED;
    }
    return BILLINGOS__V1__INVITATION_STATE__INVITATION_STATE_UNSPECIFIED;
}

Billingos__V1__Invitation *
organization_pb_invitation(struct ctx *cx, const struct invitation *invitation)
{
    Billingos__V1__Invitation *message =
        PB_NEW(cx, Billingos__V1__Invitation, billingos__v1__invitation__init);

    message->invitation_id = pb_id(cx, ID_INVITATION, &invitation->invitation_id);
    message->email = pb_text(invitation->email);
    message->role = role_of(invitation->role);
    message->state = invitation_state_of(invitation_state(invitation, cx->now_us));
    message->creator = pb_text(invitation->created_by);
    message->expire_time = pb_time(cx, invitation->expires_us);
    message->member_id = pb_id(cx, ID_MEMBER, &invitation->member_id);
    message->create_time = pb_time(cx, invitation->created_us);
    return message;
}

static Billingos__V1__ActorKind actor_kind_of(const char *actor)
{
    const struct str text = str_of(actor);

    if (str_starts(text, STR("key_"))) {
        return BILLINGOS__V1__ACTOR_KIND__ACTOR_KIND_API_KEY;
    }
    if (str_starts(text, STR("mem_"))) {
        return BILLINGOS__V1__ACTOR_KIND__ACTOR_KIND_MEMBER;
    }
    if (str_starts(text, STR("cus_"))) {
        return BILLINGOS__V1__ACTOR_KIND__ACTOR_KIND_CUSTOMER;
    }
    if (str_equal(text, STR("cli")) || str_equal(text, STR("bootstrap"))) {
        return BILLINGOS__V1__ACTOR_KIND__ACTOR_KIND_OPERATOR;
    }
    return BILLINGOS__V1__ACTOR_KIND__ACTOR_KIND_SYSTEM;
}

Billingos__V1__Actor *organization_pb_actor(struct ctx *cx, const char *actor, const char *name)
{
    Billingos__V1__Actor *message = PB_NEW(cx, Billingos__V1__Actor, billingos__v1__actor__init);

    message->kind = actor_kind_of(actor);
    message->actor_id = pb_text(actor);
    message->name = pb_text(name);
    return message;
}

struct status organization_pb_check_letters(
    struct ctx *cx, const char *field, const char *text, size_t min, size_t max)
{
    size_t letters = 0;

    for (const char *c = text; *c != '\0'; c++) {
        letters += ((unsigned char)*c & 0xc0) != 0x80 ? 1 : 0;
    }
    if (letters < min) {
        return status_field(cx, field, "is required");
    }
    if (letters > max) {
        return status_field(
            cx, field, "is %zu characters long, at most %zu are allowed", letters, max);
    }
    return STATUS_OK;
}

struct status organization_pb_check_email(struct ctx *cx, const char *field, const char *email)
{
    if (email[0] == '\0') {
        return status_field(cx, field, "is required");
    }
    if (!member_email_valid(email)) {
        return status_field(
            cx, field, "is not an e-mail address of up to %d bytes", MEMBER_EMAIL_BYTES_MAX);
    }
    return STATUS_OK;
}

struct status organization_pb_read_role(
    struct ctx *cx, const char *field, Billingos__V1__MemberRole role, enum member_role *ret_role)
{
    for (size_t i = 0; i < MEMBER_ROLE_COUNT; i++) {
        if (role_of((enum member_role)i) == role) {
            *ret_role = (enum member_role)i;
            return STATUS_OK;
        }
    }
    return status_field(cx, field, "must be one of OWNER, ADMIN, DEVELOPER and VIEWER");
}
