#include "services/members.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "domain/field_check.h"
#include "services/audit.h"
#include "services/services.h"
#include "store/member_store.h"
#include "store/organization_store.h"

struct status members_list(
    struct ctx *cx,
    struct services *services,
    const struct id *after,
    int32_t max,
    struct member **ret_members,
    size_t *ret_count)
{
    return member_store_list(cx, services->db, after, max, ret_members, ret_count);
}

static struct status
lock_member(struct ctx *cx, struct tx *tx, const struct id *member_id, struct member *ret_member)
{
    struct organization organization;

    TRY(organization_store_lock(cx, tx, &organization));
    return member_store_lock(cx, tx, member_id, ret_member);
}

/* The member is an owner and is about to be one no longer. */
static struct status check_owner_stays(struct ctx *cx, struct tx *tx, const struct member *member)
{
    const char *text = id_text(cx->arena, ID_MEMBER, &member->member_id);
    int64_t members = 0;
    int64_t owners = 0;

    TRY(member_store_count(cx, tx, &members, &owners));
    if (owners > 1) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_fail(
            cx, REASON_LAST_OWNER, "member \"%s\" is the last owner of the organization", text),
        "member_id",
        text);
}

struct status members_update(
    struct ctx *cx, struct tx *tx, const struct member_change *change, struct member *ret_member)
{
    struct audit_changes changes = {0};
    struct member before;
    struct member after;

    if ((change->fields & MEMBER_FIELD_NAME) != 0 && !member_name_valid(change->name)) {
        return status_field(
            cx, "member.name", "must have at most %d characters", MEMBER_NAME_LETTERS_MAX);
    }
    TRY(lock_member(cx, tx, &change->member_id, &before));
    TRY(field_check_etag(cx, change->etag, before.version));
    after = before;
    if ((change->fields & MEMBER_FIELD_NAME) != 0) {
        after.name = change->name;
    }
    if ((change->fields & MEMBER_FIELD_ROLE) != 0) {
        after.role = change->role;
    }
    if (before.role == MEMBER_OWNER && after.role != MEMBER_OWNER) {
        TRY(check_owner_stays(cx, tx, &before));
    }
    audit_note(&changes, "name", before.name, after.name);
    audit_note(&changes, "role", member_role_name(before.role), member_role_name(after.role));
    if (changes.count > 0) {
        after.version++;
        TRY(member_store_update(cx, tx, &after));
        TRY(audit_add_shared(
            cx, tx, "member", id_text(cx->arena, ID_MEMBER, &after.member_id), &changes));
    }
    *ret_member = after;
    return STATUS_OK;
}

struct status members_remove(struct ctx *cx, struct tx *tx, const struct id *member_id)
{
    struct audit_changes changes = {0};
    struct member member;

    TRY(lock_member(cx, tx, member_id, &member));
    if (member.role == MEMBER_OWNER) {
        TRY(check_owner_stays(cx, tx, &member));
    }
    TRY(member_store_remove(cx, tx, member_id));
    audit_note(&changes, "email", member.email, "");
    audit_note(&changes, "role", member_role_name(member.role), "");
    log_info(cx, "member removed", LOG_ID("member", ID_MEMBER, member_id));
    return audit_add_shared(cx, tx, "member", id_text(cx->arena, ID_MEMBER, member_id), &changes);
}
