#include "store/api_key_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/scope.h"
#include "store/db.h"
#include "store/row_words.h"

#define COLUMNS                                                                                \
    "k.org_id, k.key_id, k.kind, array_to_string(k.scopes, ' '), k.expires_at, k.revoked_at, " \
    "k.rotated_to, k.name, k.shown_start, k.shown_end, k.created_by, k.created_at, "           \
    "k.last_used_at, "                                                                         \
    "k.replaces "

#define COLUMN_AFTER_KEY 14

#define IS_OPEN "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)"

/* Over all organisations: this is where the tenant is found out. */
static const struct sql find_sql = {
    "api_key_find",
    "SELECT " COLUMNS ", o.organization_id FROM credentials c "
    "JOIN api_keys k ON k.org_id = c.org_id AND k.key_id = c.object_id "
    "JOIN organizations o ON o.org_id = k.org_id "
    "WHERE c.secret_hash = $1 AND c.kind = 'API_KEY'",
};

/* Over all organisations, each row by its full key. */
static const struct sql note_uses_sql = {
    "api_key_note_uses",
    "UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, u.used_at) "
    "FROM unnest($1::bigint[], $2::uuid[], $3::timestamptz[]) AS u (org_id, key_id, used_at) "
    "WHERE k.org_id = u.org_id AND k.key_id = u.key_id",
};

static const struct sql insert_sql = {
    "api_key_insert",
    "WITH credential AS (INSERT INTO credentials (secret_hash, kind, org_id, object_id) "
    "VALUES ($6, 'API_KEY', $1, $2)) "
    "INSERT INTO api_keys (org_id, key_id, kind, name, scopes, key_hash, shown_start, shown_end, "
    "created_by, created_at, expires_at, replaces) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
};

static const struct sql load_sql = {
    "api_key_load",
    "SELECT " COLUMNS "FROM api_keys k WHERE k.org_id = $1 AND k.key_id = $2",
};

static const struct sql lock_sql = {
    "api_key_lock",
    "SELECT " COLUMNS "FROM api_keys k WHERE k.org_id = $1 AND k.key_id = $2 FOR UPDATE",
};

static const struct sql count_sql = {
    "api_key_count",
    "SELECT count(*) FROM api_keys k WHERE k.org_id = $1 AND " IS_OPEN,
};

static const struct sql list_sql = {
    "api_key_list",
    "SELECT " COLUMNS "FROM api_keys k WHERE k.org_id = $1 AND ($3 OR (" IS_OPEN ")) "
    "AND ($4::uuid IS NULL OR k.key_id < $4) ORDER BY k.key_id DESC LIMIT $5",
};

static const struct sql update_sql = {
    "api_key_update",
    "UPDATE api_keys SET expires_at = $3, revoked_at = $4, rotated_to = $5 "
    "WHERE org_id = $1 AND key_id = $2",
};

static uint64_t scopes_of(const char *const *words)
{
    uint64_t scopes = 0;

    for (size_t i = 0; words[i] != NULL; i++) {
        uint64_t scope = 0;

        /* A scope that this version does not know gives no right. */
        scopes |= scope_parse(words[i], &scope) ? scope : 0;
    }
    return scopes;
}

static struct api_key read_key(struct ctx *cx, const struct rows *rows, size_t row)
{
    size_t word_count = 0;
    struct api_key key = {
        .org_id = row_i64(rows, row, 0),
        .key_id = row_id(rows, row, 1),
        .expires_us = row_time(rows, row, 4),
        .revoked_us = row_time(rows, row, 5),
        .rotated_to = row_id(rows, row, 6),
        .name = row_text(cx, rows, row, 7),
        .shown_start = row_text(cx, rows, row, 8),
        .shown_end = row_text(cx, rows, row, 9),
        .created_by = row_text(cx, rows, row, 10),
        .created_us = row_time(rows, row, 11),
        .last_used_us = row_time(rows, row, 12),
        .replaces = row_id(rows, row, 13),
    };

    key.live = key.org_id % 2 == 0;
    api_key_kind_parse(row_text(cx, rows, row, 2), &key.kind);
    key.scopes = scopes_of(row_words(cx, rows, row, 3, &word_count));
    return key;
}

struct status api_key_store_find(
    struct ctx *cx,
    struct db *db,
    const uint8_t secret_hash[SHA256_SIZE],
    bool *ret_found,
    struct api_key_credential *ret_credential)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_bytes(&p, secret_hash, SHA256_SIZE);
    TRY(db_query(cx, db, &find_sql, &p, &rows));
    *ret_found = rows_count(rows) == 1;
    if (*ret_found) {
        ret_credential->key = read_key(cx, rows, 0);
        ret_credential->organization_id = row_id(rows, 0, COLUMN_AFTER_KEY);
    }
    /* It is kept for a while: a key without its scopes must not be. */
    return arena_failed(cx->arena) ? status_of(cx, REASON_REQUEST_TOO_COSTLY) : STATUS_OK;
}

struct status
api_key_store_note_uses(struct ctx *cx, struct db *db, const struct api_key_use *uses, size_t count)
{
    struct params p = NO_PARAMS;
    int64_t *org_ids = arena_try_alloc(cx->arena, count * sizeof *org_ids);
    struct id *key_ids = arena_try_alloc(cx->arena, count * sizeof *key_ids);
    int64_t *times = arena_try_alloc(cx->arena, count * sizeof *times);

    if (org_ids == NULL || key_ids == NULL || times == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        org_ids[i] = uses[i].org_id;
        key_ids[i] = uses[i].key_id;
        times[i] = uses[i].used_us;
    }
    params_i64_array(cx, &p, org_ids, count);
    params_id_array(cx, &p, key_ids, count);
    params_time_array(cx, &p, times, count);
    return db_execute(cx, db, &note_uses_sql, &p, NULL);
}

static void params_scopes(struct ctx *cx, struct params *p, uint64_t scopes)
{
    const char *texts[SCOPE_BIT_COUNT];
    size_t count = 0;

    for (uint32_t bit = 0; bit < SCOPE_BIT_COUNT; bit++) {
        if ((scopes & UINT64_C(1) << bit) != 0) {
            texts[count++] = scope_text(UINT64_C(1) << bit);
        }
    }
    params_text_array(cx, p, texts, count);
}

struct status api_key_store_insert(
    struct ctx *cx,
    struct tx *tx,
    const struct api_key *key,
    const uint8_t secret_hash[SHA256_SIZE])
{
    struct params p = NO_PARAMS;

    params_i64(&p, key->org_id);
    params_id(&p, &key->key_id);
    params_text(&p, api_key_kind_name(key->kind));
    params_text(&p, key->name);
    params_scopes(cx, &p, key->scopes);
    params_bytes(&p, secret_hash, SHA256_SIZE);
    params_text(&p, key->shown_start);
    params_text(&p, key->shown_end);
    params_text(&p, key->created_by);
    params_time(&p, key->created_us);
    params_time_or_null(&p, key->expires_us);
    params_id(&p, &key->replaces);
    return tx_execute(cx, tx, &insert_sql, &p, NULL);
}

static struct status
read_one(struct ctx *cx, const struct rows *rows, const struct id *key_id, struct api_key *ret_key)
{
    if (rows_count(rows) == 0) {
        const char *text = id_text(cx->arena, ID_KEY, key_id);

        return status_pair(
            cx,
            status_fail(cx, REASON_API_KEY_NOT_FOUND, "API key \"%s\" does not exist", text),
            "api_key_id",
            text);
    }
    *ret_key = read_key(cx, rows, 0);
    return STATUS_OK;
}

struct status
api_key_store_load(struct ctx *cx, struct db *db, const struct id *key_id, struct api_key *ret_key)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, key_id);
    TRY(db_query(cx, db, &load_sql, &p, &rows));
    return read_one(cx, rows, key_id, ret_key);
}

struct status
api_key_store_lock(struct ctx *cx, struct tx *tx, const struct id *key_id, struct api_key *ret_key)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, key_id);
    TRY(tx_query(cx, tx, &lock_sql, &p, &rows));
    return read_one(cx, rows, key_id, ret_key);
}

struct status api_key_store_count(struct ctx *cx, struct tx *tx, int64_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;

    params_i64(&p, cx->caller.org_id);
    params_time(&p, cx->now_us);
    TRY(tx_query(cx, tx, &count_sql, &p, &rows));
    *ret_count = row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status api_key_store_list(
    struct ctx *cx,
    struct db *db,
    bool include_closed,
    const struct id *before,
    int32_t max,
    struct api_key **ret_keys,
    size_t *ret_count)
{
    AUTO_ROWS rows = NULL;
    struct params p = NO_PARAMS;
    struct api_key *keys = NULL;

    params_i64(&p, cx->caller.org_id);
    params_time(&p, cx->now_us);
    params_bool(&p, include_closed);
    params_id(&p, before);
    params_i64(&p, max);
    TRY(db_query(cx, db, &list_sql, &p, &rows));
    keys = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *keys);
    if (keys == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        keys[i] = read_key(cx, rows, i);
    }
    *ret_keys = keys;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status api_key_store_update(struct ctx *cx, struct tx *tx, const struct api_key *key)
{
    struct params p = NO_PARAMS;

    params_i64(&p, key->org_id);
    params_id(&p, &key->key_id);
    params_time_or_null(&p, key->expires_us);
    params_time_or_null(&p, key->revoked_us);
    params_id(&p, &key->rotated_to);
    return tx_execute(cx, tx, &update_sql, &p, NULL);
}
