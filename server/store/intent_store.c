#include "store/intent_store.h"

#include <string.h>

#include "base/arena.h"
#include "store/db.h"

#define COLUMNS                                                                             \
    "org_id, intent_id, method, request_id, body_hash, state, request, response, failure, " \
    "subject_id, actor, generation, attempts, first_sent_at, created_at, updated_at"

static const struct sql CLAIM = {
    "intent_claim",
    "INSERT INTO intents (org_id, intent_id, method, request_id, body_hash, state, request, "
    "response,"
    " subject_id, actor, leased_until)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    " ON CONFLICT (org_id, method, request_id) DO NOTHING"};

static const struct sql FIRST = {
    "intent_first",
    "SELECT " COLUMNS " FROM intents WHERE org_id = $1 AND method = $2 AND request_id = $3"};

static const struct sql DONE = {
    "intent_done",
    "UPDATE intents SET state = 'DONE', response = $3, request = NULL, leased_until = NULL,"
    " updated_at = now() WHERE org_id = $1 AND intent_id = $2 AND state = 'PENDING'"};

static const struct sql FAILED = {
    "intent_failed",
    "UPDATE intents SET state = 'FAILED', failure = $3, request = NULL, leased_until = NULL,"
    " updated_at = now() WHERE org_id = $1 AND intent_id = $2 AND state = 'PENDING'"};

static const struct sql DESCRIBE = {
    "intent_describe",
    "UPDATE intents SET subject_id = $3, request = $4 WHERE org_id = $1 AND intent_id = $2"};

static const struct sql FORGET = {
    "intent_forget", "DELETE FROM intents WHERE org_id = $1 AND intent_id = $2"};

static const struct sql LEASE = {
    "intent_lease",
    "UPDATE intents SET leased_until = $3, attempts = attempts + 1,"
    " first_sent_at = coalesce(first_sent_at, now()), updated_at = now()"
    " WHERE org_id = $1 AND intent_id = $2 AND state = 'PENDING'"
    " AND (leased_until IS NULL OR leased_until < now())"};

/* Over all organisations: the resolver's own look-out. */
static const struct sql TAKE_DUE = {
    "intent_take_due",
    "UPDATE intents SET leased_until = $1, attempts = attempts + 1,"
    " first_sent_at = coalesce(first_sent_at, now()), updated_at = now()"
    " WHERE (org_id, intent_id) IN (SELECT org_id, intent_id FROM intents"
    " WHERE state = 'PENDING' AND next_attempt_at <= now()"
    " AND (leased_until IS NULL OR leased_until < now())"
    " ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING " COLUMNS};

static const struct sql POSTPONE = {
    "intent_postpone",
    "UPDATE intents SET leased_until = NULL, next_attempt_at = $3, updated_at = now()"
    " WHERE org_id = $1 AND intent_id = $2 AND state = 'PENDING'"};

static const struct sql FIND = {
    "intent_find",
    "SELECT " COLUMNS " FROM intents WHERE org_id = $1 AND request_id = $2"
    " ORDER BY created_at DESC LIMIT 1"};

static const struct sql OF_REQUEST = {
    "intent_of_request",
    "SELECT " COLUMNS " FROM intents WHERE org_id = $1 AND request_id = $2"
    " ORDER BY created_at DESC LIMIT $3"};

static const struct sql GET = {
    "intent_get", "SELECT " COLUMNS " FROM intents WHERE org_id = $1 AND intent_id = $2"};

static const char *const state_names[] = {
    [INTENT_PENDING] = "PENDING", [INTENT_DONE] = "DONE", [INTENT_FAILED] = "FAILED"};

static enum intent_state state_of(const char *name)
{
    return strcmp(name, "DONE") == 0     ? INTENT_DONE
           : strcmp(name, "FAILED") == 0 ? INTENT_FAILED
                                         : INTENT_PENDING;
}

static struct str row_str(struct ctx *cx, const struct rows *rows, size_t row, int column)
{
    size_t len = 0;
    const uint8_t *bytes = row_bytes(cx, rows, row, column, &len);

    return (struct str){(const char *)bytes, len};
}

static void
read_intent(struct ctx *cx, const struct rows *rows, size_t row, struct intent *ret_intent)
{
    const struct str hash = row_str(cx, rows, row, 4);

    *ret_intent = (struct intent){
        .org_id = row_i64(rows, row, 0),
        .intent_id = row_id(rows, row, 1),
        .method = row_text(cx, rows, row, 2),
        .request_id = row_text(cx, rows, row, 3),
        .state = state_of(row_text(cx, rows, row, 5)),
        .request = row_str(cx, rows, row, 6),
        .response = row_str(cx, rows, row, 7),
        .failure = row_text(cx, rows, row, 8),
        .subject_id = row_id(rows, row, 9),
        .actor = row_text(cx, rows, row, 10),
        .generation = (int32_t)row_i64(rows, row, 11),
        .attempts = (int32_t)row_i64(rows, row, 12),
        .first_sent_us = row_time(rows, row, 13),
        .created_us = row_time(rows, row, 14),
        .updated_us = row_time(rows, row, 15),
    };
    if (hash.len == SHA256_SIZE) {
        memcpy(ret_intent->body_hash, hash.ptr, SHA256_SIZE);
    }
}

static void params_bytes_or_null(struct params *p, struct str bytes)
{
    params_bytes(p, bytes.len == 0 ? NULL : bytes.ptr, bytes.len);
}

struct status intent_store_claim(
    struct ctx *cx,
    struct tx *tx,
    const struct intent *intent,
    bool *ret_claimed,
    struct intent *ret_existing)
{
    struct params p = {0};
    struct params key = {0};
    AUTO_ROWS rows = NULL;
    int64_t inserted = 0;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &intent->intent_id);
    params_text(&p, intent->method);
    params_text(&p, intent->request_id);
    params_bytes(&p, intent->body_hash, SHA256_SIZE);
    params_text(&p, state_names[intent->state]);
    params_bytes_or_null(&p, intent->request);
    params_bytes_or_null(&p, intent->response);
    params_id(&p, &intent->subject_id);
    params_text(&p, intent->actor);
    params_time_or_null(&p, intent->leased_until_us);
    TRY(tx_execute(cx, tx, &CLAIM, &p, &inserted));
    *ret_claimed = inserted == 1;
    if (*ret_claimed) {
        return STATUS_OK;
    }
    params_i64(&key, cx->caller.org_id);
    params_text(&key, intent->method);
    params_text(&key, intent->request_id);
    TRY(tx_query(cx, tx, &FIRST, &key, &rows));
    if (rows_count(rows) == 0) {
        /* The first one failed between our two statements and freed the key. */
        return status_retry(status_of(cx, REASON_REQUEST_IN_PROGRESS), 50);
    }
    read_intent(cx, rows, 0, ret_existing);
    return STATUS_OK;
}

static struct status settle(
    struct ctx *cx,
    struct tx *tx,
    const struct sql *sql,
    const struct id *intent_id,
    const char *failure,
    struct str response)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, intent_id);
    if (failure != NULL) {
        params_json(&p, failure);
    } else {
        params_bytes(&p, response.ptr, response.len);
    }
    return tx_execute(cx, tx, sql, &p, NULL);
}

struct status
intent_store_done(struct ctx *cx, struct tx *tx, const struct id *intent_id, struct str response)
{
    return settle(cx, tx, &DONE, intent_id, NULL, response);
}

struct status
intent_store_failed(struct ctx *cx, struct tx *tx, const struct id *intent_id, const char *failure)
{
    return settle(cx, tx, &FAILED, intent_id, failure, STR(""));
}

struct status intent_store_describe(struct ctx *cx, struct tx *tx, const struct intent *intent)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &intent->intent_id);
    params_id(&p, &intent->subject_id);
    params_bytes_or_null(&p, intent->request);
    return tx_queue_execute(cx, tx, &DESCRIBE, &p);
}

struct status intent_store_forget(struct ctx *cx, struct tx *tx, const struct id *intent_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, intent_id);
    return tx_execute(cx, tx, &FORGET, &p, NULL);
}

struct status intent_store_lease(
    struct ctx *cx,
    struct db *db,
    const struct id *intent_id,
    int64_t lease_until_us,
    bool *ret_leased)
{
    struct params p = {0};
    int64_t updated = 0;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, intent_id);
    params_time(&p, lease_until_us);
    TRY(db_execute(cx, db, &LEASE, &p, &updated));
    *ret_leased = updated == 1;
    return STATUS_OK;
}

struct status intent_store_take_due(
    struct ctx *cx,
    struct db *db,
    int64_t lease_until_us,
    size_t max,
    struct intent *ret_intents,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_time(&p, lease_until_us);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &TAKE_DUE, &p, &rows));
    for (size_t i = 0; i < rows_count(rows); i++) {
        read_intent(cx, rows, i, &ret_intents[i]);
    }
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status intent_store_postpone(
    struct ctx *cx, struct db *db, const struct id *intent_id, int64_t next_attempt_us)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, intent_id);
    params_time(&p, next_attempt_us);
    return db_execute(cx, db, &POSTPONE, &p, NULL);
}

struct status
intent_store_find(struct ctx *cx, struct db *db, const char *request_id, struct intent *ret_intent)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, request_id);
    TRY(db_query(cx, db, &FIND, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_pair(
            cx,
            status_fail(
                cx,
                REASON_OPERATION_NOT_FOUND,
                "no operation has the request_id \"%s\"",
                request_id),
            "request_id",
            request_id);
    }
    read_intent(cx, rows, 0, ret_intent);
    return STATUS_OK;
}

struct status intent_store_get(
    struct ctx *cx, struct db *db, const struct id *intent_id, struct intent *ret_intent)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, intent_id);
    TRY(db_query(cx, db, &GET, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_of(cx, REASON_OPERATION_NOT_FOUND);
    }
    read_intent(cx, rows, 0, ret_intent);
    return STATUS_OK;
}

struct status intent_store_of_request(
    struct ctx *cx,
    struct db *db,
    const char *request_id,
    size_t max,
    struct intent *ret_intents,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_text(&p, request_id);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &OF_REQUEST, &p, &rows));
    for (size_t i = 0; i < rows_count(rows); i++) {
        read_intent(cx, rows, i, &ret_intents[i]);
    }
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status intent_store_reload(
    struct ctx *cx, struct tx *tx, const struct id *intent_id, struct intent *ret_intent)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, intent_id);
    TRY(tx_query(cx, tx, &GET, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_of(cx, REASON_OPERATION_NOT_FOUND);
    }
    read_intent(cx, rows, 0, ret_intent);
    return STATUS_OK;
}
