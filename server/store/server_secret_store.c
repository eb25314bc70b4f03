#include "store/server_secret_store.h"

#include <string.h>

#include "base/arena.h"
#include "store/db.h"

static const struct sql GET = {
    "server_secret_get", "SELECT value FROM server_secrets WHERE name = $1"};

static const struct sql INSERT = {
    "server_secret_insert",
    "INSERT INTO server_secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"};

static const struct sql SET = {
    "server_secret_set",
    "INSERT INTO server_secrets (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value, created_at = now()"};

struct status
server_secret_store_get(struct ctx *cx, struct db *db, const char *name, const char **ret_value)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    size_t len = 0;

    params_text(&p, name);
    TRY(db_query(cx, db, &GET, &p, &rows));
    *ret_value = "";
    if (rows_count(rows) == 1) {
        const uint8_t *bytes = row_bytes(cx, rows, 0, 0, &len);

        *ret_value = arena_text_n(cx->arena, (const char *)bytes, len);
    }
    return STATUS_OK;
}

static struct status write_secret(
    struct ctx *cx, struct db *db, const struct sql *sql, const char *name, const char *value)
{
    struct params p = {0};

    params_text(&p, name);
    params_bytes(&p, value, strlen(value));
    return db_execute(cx, db, sql, &p, NULL);
}

struct status server_secret_store_ensure(
    struct ctx *cx, struct db *db, const char *name, const char *value, const char **ret_value)
{
    TRY(write_secret(cx, db, &INSERT, name, value));
    return server_secret_store_get(cx, db, name, ret_value);
}

struct status
server_secret_store_set(struct ctx *cx, struct db *db, const char *name, const char *value)
{
    return write_secret(cx, db, &SET, name, value);
}
