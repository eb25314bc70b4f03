#include "services/invitations.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "domain/organization.h"
#include "domain/secret.h"
#include "services/audit.h"
#include "services/services.h"
#include "store/invitation_store.h"
#include "store/member_store.h"
#include "store/organization_store.h"

static struct status limit_exceeded(struct ctx *cx, const char *kind, int max)
{
    struct status status = status_fail(
        cx,
        REASON_OBJECT_LIMIT_REACHED,
        "the organization has %d %s, which is the most",
        max,
        kind);

    status = status_pair(cx, status, "kind", kind);
    return status_pair(cx, status, "max", arena_printf(cx->arena, "%d", max));
}

static struct status check_room_for_member(struct ctx *cx, struct tx *tx)
{
    int64_t members = 0;
    int64_t owners = 0;

    TRY(member_store_count(cx, tx, &members, &owners));
    return members < MEMBERS_MAX ? STATUS_OK : limit_exceeded(cx, "members", MEMBERS_MAX);
}

static struct status check_new(struct ctx *cx, struct tx *tx, const char *email)
{
    struct id open_for_email = {{0}};
    struct status status;
    int64_t open = 0;
    bool is_member = false;

    TRY(member_store_has_email(cx, tx, email, &is_member));
    if (is_member) {
        return status_pair(cx, status_of(cx, REASON_MEMBER_EXISTS), "email", email);
    }
    TRY(invitation_store_count(cx, tx, email, &open, &open_for_email));
    if (!id_is_zero(&open_for_email)) {
        status = status_pair(cx, status_of(cx, REASON_INVITATION_EXISTS), "email", email);
        return status_pair(
            cx, status, "invitation_id", id_text(cx->arena, ID_INVITATION, &open_for_email));
    }
    if (open >= INVITATIONS_OPEN_MAX) {
        return limit_exceeded(cx, "invitations", INVITATIONS_OPEN_MAX);
    }
    return check_room_for_member(cx, tx);
}

static struct status choose_end(struct ctx *cx, struct invitation *invitation)
{
    if (invitation->expires_us == 0) {
        invitation->expires_us = cx->now_us + INVITATION_DEFAULT_US;
    }
    if (invitation->expires_us <= cx->now_us ||
        invitation->expires_us > cx->now_us + INVITATION_MAX_US) {
        return status_field(
            cx, "invitation.expire_time", "must lie in the future, at most 30 days ahead");
    }
    return STATUS_OK;
}

struct status invitations_create(
    struct ctx *cx,
    struct tx *tx,
    const struct invitation *input,
    struct invitation *ret_invitation,
    const char **ret_token)
{
    struct audit_changes changes = {0};
    struct invitation invitation = *input;
    struct organization organization;
    uint8_t random[SECRET_RANDOM_BYTES];
    uint8_t hash[SHA256_SIZE];
    char token[SECRET_TEXT_SIZE];

    if (!member_email_valid(input->email)) {
        return status_field(cx, "invitation.email", "is not an e-mail address");
    }
    TRY(choose_end(cx, &invitation));
    TRY(organization_store_lock(cx, tx, &organization));
    TRY(check_new(cx, tx, input->email));
    random_bytes(random, sizeof random);
    secret_format(SECRET_INVITATION_TOKEN, random, token);
    sha256(token, str_of(token).len, hash);
    invitation.org_id = organization.org_id;
    invitation.invitation_id = id_new(cx->now_us);
    invitation.created_by = cx->caller.actor;
    invitation.created_us = cx->now_us;
    TRY(invitation_store_insert(cx, tx, &invitation, hash));
    audit_note(&changes, "email", "", invitation.email);
    audit_note(&changes, "role", "", member_role_name(invitation.role));
    TRY(audit_add_shared(
        cx,
        tx,
        "invitation",
        id_text(cx->arena, ID_INVITATION, &invitation.invitation_id),
        &changes));
    *ret_invitation = invitation;
    *ret_token = arena_text(cx->arena, token);
    return STATUS_OK;
}

struct status invitations_enter(
    struct ctx *cx,
    struct services *services,
    const char *token,
    struct invitation_entry *ret_entry)
{
    const struct str text = str_of(token);
    enum secret_form form = SECRET_FORM_COUNT;
    uint8_t hash[SHA256_SIZE];
    int64_t live_number = 0;

    if (!secret_parse(text, &form) || form != SECRET_INVITATION_TOKEN) {
        return status_of(cx, REASON_INVITATION_NOT_FOUND);
    }
    sha256(text.ptr, text.len, hash);
    TRY(invitation_store_find(cx, services->db, hash, &live_number, &ret_entry->invitation_id));
    /* Here, since the transaction may be run more than once: it changes nothing of the caller. */
    ret_entry->member_id = id_new(cx->now_us);
    cx->caller = (struct caller){
        .org_id = live_number,
        .live = true,
        .actor = id_text(cx->arena, ID_MEMBER, &ret_entry->member_id),
    };
    return STATUS_OK;
}

static struct status closed(struct ctx *cx, const struct invitation *invitation)
{
    const enum invitation_state state = invitation_state(invitation, cx->now_us);
    const char *text = id_text(cx->arena, ID_INVITATION, &invitation->invitation_id);
    char when[RFC3339_SIZE];
    struct status status;

    if (state == INVITATION_EXPIRED) {
        wallclock_format(invitation->expires_us, when);
        status = status_pair(cx, status_of(cx, REASON_INVITATION_EXPIRED), "invitation_id", text);
        return status_pair(cx, status, "expire_time", when);
    }
    status = status_pair(cx, status_of(cx, REASON_INVITATION_CLOSED), "invitation_id", text);
    return status_pair(cx, status, "state", invitation_state_name(state));
}

struct status invitations_accept(
    struct ctx *cx,
    struct tx *tx,
    const struct invitation_entry *entry,
    const char *name,
    struct invitation_acceptance *ret_acceptance)
{
    struct audit_changes changes = {0};
    struct organization *organization = ARENA_NEW(cx->arena, struct organization);
    struct invitation invitation;
    struct member member;

    TRY(organization_store_lock(cx, tx, organization));
    TRY(invitation_store_lock(cx, tx, &entry->invitation_id, &invitation));
    if (invitation_state(&invitation, cx->now_us) != INVITATION_OPEN) {
        return closed(cx, &invitation);
    }
    TRY(check_room_for_member(cx, tx));
    member = (struct member){
        .org_id = organization->org_id,
        .member_id = entry->member_id,
        .email = invitation.email,
        .name = name,
        .role = invitation.role,
        .version = 1,
        .created_us = cx->now_us,
    };
    TRY(member_store_insert(cx, tx, &member));
    invitation.accepted_us = cx->now_us;
    invitation.member_id = member.member_id;
    TRY(invitation_store_update(cx, tx, &invitation));
    audit_note(&changes, "email", "", member.email);
    audit_note(&changes, "role", "", member_role_name(member.role));
    TRY(audit_add_shared(
        cx, tx, "member", id_text(cx->arena, ID_MEMBER, &member.member_id), &changes));
    log_info(cx, "invitation accepted", LOG_ID("member", ID_MEMBER, &member.member_id));
    ret_acceptance->member = member;
    ret_acceptance->organization = organization;
    return STATUS_OK;
}

struct status invitations_revoke(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invitation_id,
    struct invitation *ret_invitation)
{
    struct audit_changes changes = {0};
    struct invitation invitation;

    TRY(invitation_store_lock(cx, tx, invitation_id, &invitation));
    if (invitation.accepted_us != 0) {
        return closed(cx, &invitation);
    }
    if (invitation.revoked_us == 0) {
        invitation.revoked_us = cx->now_us;
        TRY(invitation_store_update(cx, tx, &invitation));
        audit_note(&changes, "state", "OPEN", "REVOKED");
        TRY(audit_add_shared(
            cx, tx, "invitation", id_text(cx->arena, ID_INVITATION, invitation_id), &changes));
    }
    *ret_invitation = invitation;
    return STATUS_OK;
}

struct status invitations_list(
    struct ctx *cx,
    struct services *services,
    bool include_closed,
    const struct id *before,
    int32_t max,
    struct invitation **ret_invitations,
    size_t *ret_count)
{
    return invitation_store_list(
        cx, services->db, include_closed, before, max, ret_invitations, ret_count);
}
