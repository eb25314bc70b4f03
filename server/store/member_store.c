#include "store/member_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/organization.h"
#include "store/db.h"

#define COLUMNS "org_id, member_id, email, name, role, version, created_at "

static const struct sql insert_sql = {
    "member_insert",
    "INSERT INTO members (org_id, member_id, email, name, role, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6)",
};

static const struct sql lock_sql = {
    "member_lock",
    "SELECT " COLUMNS "FROM members WHERE org_id = $1 AND member_id = $2 AND removed_at IS NULL "
    "FOR UPDATE",
};

static const struct sql count_sql = {
    "member_count",
    "SELECT count(*), count(*) FILTER (WHERE role = 'OWNER') FROM members "
    "WHERE org_id = $1 AND removed_at IS NULL",
};

static const struct sql has_email_sql = {
    "member_has_email",
    "SELECT EXISTS (SELECT FROM members "
    "WHERE org_id = $1 AND lower(email) = lower($2) AND removed_at IS NULL)",
};

static const struct sql list_sql = {
    "member_list",
    "SELECT " COLUMNS "FROM members WHERE org_id = $1 AND removed_at IS NULL "
    "AND ($2::uuid IS NULL OR (lower(email), member_id) > "
    "(SELECT lower(email), member_id FROM members WHERE org_id = $1 AND member_id = $2)) "
    "ORDER BY lower(email), member_id LIMIT $3",
};

static const struct sql update_sql = {
    "member_update",
    "UPDATE members SET name = $3, role = $4, version = $5 WHERE org_id = $1 AND member_id = $2",
};

static const struct sql remove_sql = {
    "member_remove",
    "UPDATE members SET removed_at = $3, version = version + 1 WHERE org_id = $1 AND member_id = "
    "$2",
};

static void params_organization(struct params *p, const struct ctx *cx)
{
    params_i64(p, organization_live_number(cx->caller.org_id));
}

static struct member read_member(struct ctx *cx, const struct rows *rows, size_t row)
{
    struct member member = {
        .org_id = row_i64(rows, row, 0),
        .member_id = row_id(rows, row, 1),
        .email = row_text(cx, rows, row, 2),
        .name = row_text(cx, rows, row, 3),
        .role = MEMBER_VIEWER,
        .version = row_i64(rows, row, 5),
        .created_us = row_time(rows, row, 6),
    };

    member_role_parse(row_text(cx, rows, row, 4), &member.role);
    return member;
}

struct status member_store_insert(struct ctx *cx, struct tx *tx, const struct member *member)
{
    struct params p = NO_PARAMS;
    struct status status;

    params_i64(&p, member->org_id);
    params_id(&p, &member->member_id);
    params_text(&p, member->email);
    params_text(&p, member->name);
    params_text(&p, member_role_name(member->role));
    params_time(&p, member->created_us);
    status = tx_execute(cx, tx, &insert_sql, &p, NULL);
    if (db_unique_violation(status, "members_email")) {
        return status_pair(cx, status_of(cx, REASON_MEMBER_EXISTS), "email", member->email);
    }
    return status;
}

struct status member_store_lock(
    struct ctx *cx, struct tx *tx, const struct id *member_id, struct member *ret_member)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_organization(&p, cx);
    params_id(&p, member_id);
    TRY(tx_query(cx, tx, &lock_sql, &p, &rows));
    if (rows_count(rows) == 0) {
        const char *text = id_text(cx->arena, ID_MEMBER, member_id);

        return status_pair(
            cx,
            status_fail(cx, REASON_MEMBER_NOT_FOUND, "member \"%s\" does not exist", text),
            "member_id",
            text);
    }
    *ret_member = read_member(cx, rows, 0);
    return STATUS_OK;
}

struct status
member_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_members, int64_t *ret_owners)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_organization(&p, cx);
    TRY(tx_query(cx, tx, &count_sql, &p, &rows));
    *ret_members = row_i64(rows, 0, 0);
    *ret_owners = row_i64(rows, 0, 1);
    return STATUS_OK;
}

struct status
member_store_has_email(struct ctx *cx, struct tx *tx, const char *email, bool *ret_has)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_organization(&p, cx);
    params_text(&p, email);
    TRY(tx_query(cx, tx, &has_email_sql, &p, &rows));
    *ret_has = row_bool(rows, 0, 0);
    return STATUS_OK;
}

struct status member_store_list(
    struct ctx *cx,
    struct db *db,
    const struct id *after,
    int32_t max,
    struct member **ret_members,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct member *members = NULL;

    params_organization(&p, cx);
    params_id(&p, after);
    params_i64(&p, max);
    TRY(db_query(cx, db, &list_sql, &p, &rows));
    members = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *members);
    if (members == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        members[i] = read_member(cx, rows, i);
    }
    *ret_members = members;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status member_store_update(struct ctx *cx, struct tx *tx, const struct member *member)
{
    struct params p = NO_PARAMS;

    params_i64(&p, member->org_id);
    params_id(&p, &member->member_id);
    params_text(&p, member->name);
    params_text(&p, member_role_name(member->role));
    params_i64(&p, member->version);
    return tx_execute(cx, tx, &update_sql, &p, NULL);
}

struct status member_store_remove(struct ctx *cx, struct tx *tx, const struct id *member_id)
{
    struct params p = NO_PARAMS;

    params_organization(&p, cx);
    params_id(&p, member_id);
    params_time(&p, cx->now_us);
    return tx_execute(cx, tx, &remove_sql, &p, NULL);
}
