#include "store/intent_upkeep_store.h"

#include "base/ctx.h"
#include "base/id.h"
#include "store/db.h"

static const struct sql BUSY = {
    "intent_busy",
    "SELECT intent_id FROM intents WHERE org_id = $1 AND subject_id = $2 AND state = 'PENDING'"
    " AND ($3::text IS NULL OR method = $3) AND intent_id IS DISTINCT FROM $4 LIMIT 1"};

static const struct sql COMPLETE = {
    "intent_complete",
    "UPDATE intents SET state = 'DONE', response = $4, request = NULL, leased_until = NULL,"
    " updated_at = now() WHERE org_id = $1 AND subject_id = $2 AND method = $3"
    " AND state = 'PENDING' AND (leased_until IS NULL OR leased_until < now())"};

static const struct sql NEXT_GENERATION = {
    "intent_next_generation",
    "UPDATE intents SET generation = generation + 1, updated_at = now()"
    " WHERE org_id = $1 AND intent_id = $2 RETURNING generation"};

/* Over all organisations, as the two below. */
static const struct sql AGES = {
    "intent_ages",
    "SELECT count(*) FILTER (WHERE created_at > now() - interval '1 minute'),"
    " count(*) FILTER (WHERE created_at <= now() - interval '1 minute'"
    " AND created_at > now() - interval '1 hour'),"
    " count(*) FILTER (WHERE created_at <= now() - interval '1 hour')"
    " FROM intents WHERE state = 'PENDING'"};

static const struct sql PRUNE = {
    "intent_prune",
    "DELETE FROM intents WHERE (org_id, intent_id) IN (SELECT org_id, intent_id FROM intents"
    " WHERE state <> 'PENDING' AND created_at < now() - make_interval(days => $1) LIMIT $2)"};

struct status intent_upkeep_store_busy(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subject_id,
    const char *method,
    const struct id *except,
    struct id *ret_intent_id)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subject_id);
    params_text(&p, method);
    params_id(&p, except);
    TRY(tx_query(cx, tx, &BUSY, &p, &rows));
    *ret_intent_id = rows_count(rows) == 0 ? (struct id){{0}} : row_id(rows, 0, 0);
    return STATUS_OK;
}

struct status intent_upkeep_store_complete(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subject_id,
    const char *method,
    struct str response)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, subject_id);
    params_text(&p, method);
    params_bytes(&p, response.ptr, response.len);
    return tx_queue_execute(cx, tx, &COMPLETE, &p);
}

struct status intent_upkeep_store_next_generation(
    struct ctx *cx, struct db *db, const struct id *intent_id, int32_t *ret_generation)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, intent_id);
    TRY(db_query(cx, db, &NEXT_GENERATION, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_of(cx, REASON_OPERATION_NOT_FOUND);
    }
    *ret_generation = (int32_t)row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status intent_upkeep_store_ages(struct ctx *cx, struct db *db, struct intent_ages *ret_ages)
{
    AUTO_ROWS rows = NULL;

    TRY(db_query(cx, db, &AGES, &NO_PARAMS, &rows));
    *ret_ages = (struct intent_ages){
        .minute = row_i64(rows, 0, 0),
        .hour = row_i64(rows, 0, 1),
        .older = row_i64(rows, 0, 2),
    };
    return STATUS_OK;
}

struct status intent_upkeep_store_prune(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count)
{
    struct params p = {0};
    int64_t deleted = 0;

    params_i32(&p, (int32_t)keep_days);
    params_i64(&p, (int64_t)max);
    TRY(db_execute(cx, db, &PRUNE, &p, &deleted));
    *ret_count = (size_t)deleted;
    return STATUS_OK;
}
