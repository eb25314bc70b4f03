#include "store/invitation_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/organization.h"
#include "store/db.h"

#define COLUMNS                                                                             \
    "org_id, invitation_id, email, role, created_by, created_at, expires_at, accepted_at, " \
    "revoked_at, member_id "

#define IS_OPEN "accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2"

/* Over all organisations: this is where the tenant is found out. */
static const struct sql find_sql = {
    "invitation_find",
    "SELECT org_id, object_id FROM credentials WHERE secret_hash = $1 AND kind = 'INVITATION'",
};

static const struct sql insert_sql = {
    "invitation_insert",
    "WITH credential AS (INSERT INTO credentials (secret_hash, kind, org_id, object_id) "
    "VALUES ($5, 'INVITATION', $1, $2)) "
    "INSERT INTO invitations (org_id, invitation_id, email, role, token_hash, created_by, "
    "created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
};

static const struct sql lock_sql = {
    "invitation_lock",
    "SELECT " COLUMNS "FROM invitations WHERE org_id = $1 AND invitation_id = $2 FOR UPDATE",
};

static const struct sql count_sql = {
    "invitation_count",
    "SELECT count(*), (array_agg(invitation_id) FILTER (WHERE lower(email) = lower($3)))[1] "
    "FROM invitations WHERE org_id = $1 AND " IS_OPEN,
};

static const struct sql list_sql = {
    "invitation_list",
    "SELECT " COLUMNS "FROM invitations WHERE org_id = $1 AND ($3 OR (" IS_OPEN ")) "
    "AND ($4::uuid IS NULL OR invitation_id < $4) ORDER BY invitation_id DESC LIMIT $5",
};

static const struct sql update_sql = {
    "invitation_update",
    "UPDATE invitations SET accepted_at = $3, revoked_at = $4, member_id = $5 "
    "WHERE org_id = $1 AND invitation_id = $2",
};

static void params_organization(struct params *p, const struct ctx *cx)
{
    params_i64(p, organization_live_number(cx->caller.org_id));
}

static struct invitation read_invitation(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct invitation invitation = {
        .org_id = row_i64(rows, row, 0),
        .invitation_id = row_id(rows, row, 1),
        .email = row_text(cx, rows, row, 2),
        .role = MEMBER_VIEWER,
        .created_by = row_text(cx, rows, row, 4),
        .created_us = row_time(rows, row, 5),
        .expires_us = row_time(rows, row, 6),
        .accepted_us = row_time(rows, row, 7),
        .revoked_us = row_time(rows, row, 8),
        .member_id = row_id(rows, row, 9),
    };

    member_role_parse(row_text(cx, rows, row, 3), &invitation.role);
    return invitation;
}

struct status invitation_store_find(
    struct ctx *cx,
    struct db *db,
    const uint8_t token_hash[SHA256_SIZE],
    int64_t *ret_live_number,
    struct id *ret_invitation_id)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_bytes(&p, token_hash, SHA256_SIZE);
    TRY(db_query(cx, db, &find_sql, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_of(cx, REASON_INVITATION_NOT_FOUND);
    }
    *ret_live_number = row_i64(rows, 0, 0);
    *ret_invitation_id = row_id(rows, 0, 1);
    return STATUS_OK;
}

struct status invitation_store_insert(
    struct ctx *cx,
    struct tx *tx,
    const struct invitation *invitation,
    const uint8_t token_hash[SHA256_SIZE])
{
    struct params p = NO_PARAMS;

    params_i64(&p, invitation->org_id);
    params_id(&p, &invitation->invitation_id);
    params_text(&p, invitation->email);
    params_text(&p, member_role_name(invitation->role));
    params_bytes(&p, token_hash, SHA256_SIZE);
    params_text(&p, invitation->created_by);
    params_time(&p, invitation->created_us);
    params_time(&p, invitation->expires_us);
    return tx_execute(cx, tx, &insert_sql, &p, NULL);
}

struct status invitation_store_lock(
    struct ctx *cx,
    struct tx *tx,
    const struct id *invitation_id,
    struct invitation *ret_invitation)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_organization(&p, cx);
    params_id(&p, invitation_id);
    TRY(tx_query(cx, tx, &lock_sql, &p, &rows));
    if (rows_count(rows) == 0) {
        const char *text = id_text(cx->arena, ID_INVITATION, invitation_id);

        return status_pair(
            cx,
            status_fail(cx, REASON_INVITATION_NOT_FOUND, "invitation \"%s\" does not exist", text),
            "invitation_id",
            text);
    }
    *ret_invitation = read_invitation(cx, rows, 0);
    return STATUS_OK;
}

struct status invitation_store_count(
    struct ctx *cx, struct tx *tx, const char *email, int64_t *ret_open, struct id *ret_for_email)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_organization(&p, cx);
    params_time(&p, cx->now_us);
    params_text(&p, email);
    TRY(tx_query(cx, tx, &count_sql, &p, &rows));
    *ret_open = row_i64(rows, 0, 0);
    *ret_for_email = row_id(rows, 0, 1);
    return STATUS_OK;
}

struct status invitation_store_list(
    struct ctx *cx,
    struct db *db,
    bool include_closed,
    const struct id *before,
    int32_t max,
    struct invitation **ret_invitations,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct invitation *invitations = NULL;

    params_organization(&p, cx);
    params_time(&p, cx->now_us);
    params_bool(&p, include_closed);
    params_id(&p, before);
    params_i64(&p, max);
    TRY(db_query(cx, db, &list_sql, &p, &rows));
    invitations = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *invitations);
    if (invitations == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        invitations[i] = read_invitation(cx, rows, i);
    }
    *ret_invitations = invitations;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status
invitation_store_update(struct ctx *cx, struct tx *tx, const struct invitation *invitation)
{
    struct params p = NO_PARAMS;

    params_i64(&p, invitation->org_id);
    params_id(&p, &invitation->invitation_id);
    params_time_or_null(&p, invitation->accepted_us);
    params_time_or_null(&p, invitation->revoked_us);
    params_id(&p, &invitation->member_id);
    return tx_execute(cx, tx, &update_sql, &p, NULL);
}
