#include "store/reconciliation_store.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "store/db.h"

#define COLUMNS                                                                            \
    "run_id, state, whole, compared, matching, repaired, unrepaired, calls, lost_events, " \
    "reason, message, started_at, finished_at"

/* Over all organisations: it is a list of work. A run that somebody works on is in it, too. */
static const struct sql ASKED = {
    "reconcile_asked",
    "SELECT org_id, whole FROM reconcile_runs WHERE state = 'RUNNING' "
    "ORDER BY started_at LIMIT $1",
};

/* Over all organisations. */
static const struct sql DUE = {
    "reconcile_due",
    "SELECT a.org_id, NOT EXISTS (SELECT FROM reconcile_runs w WHERE w.org_id = a.org_id "
    "AND w.whole AND w.state <> 'FAILED' AND w.started_at > now() - make_interval(mins => $2)) "
    "FROM stripe_accounts a WHERE a.disconnected_at IS NULL "
    "AND a.created_at < now() - make_interval(mins => $1) "
    "AND NOT EXISTS (SELECT FROM reconcile_runs r WHERE r.org_id = a.org_id "
    "AND r.started_at > now() - make_interval(mins => $1)) ORDER BY a.org_id LIMIT $3",
};

/* The lock is that of the transaction, so it goes with the connection. The transaction writes and
 * reads nothing, so that nothing is kept from being cleaned up while it is open. */
static const struct sql LOCK = {
    "reconcile_lock",
    "SELECT pg_try_advisory_xact_lock(hashtextextended('reconcile', $1)), "
    "set_config('idle_in_transaction_session_timeout', '600s', true)",
};

static const struct sql HOLD = {"reconcile_hold", "SELECT 1"};

static const struct sql ASK = {
    "reconcile_ask",
    "WITH locked AS (SELECT org_id FROM stripe_accounts WHERE org_id = $1 FOR UPDATE), "
    "open AS (SELECT r.run_id FROM locked l JOIN reconcile_runs r ON r.org_id = l.org_id "
    "WHERE r.state = 'RUNNING' LIMIT 1), "
    "asked AS (INSERT INTO reconcile_runs (org_id, run_id, state, whole, started_at) "
    "SELECT $1, $2, 'RUNNING', $3, $4 WHERE NOT EXISTS (SELECT FROM open)) "
    "SELECT (SELECT run_id FROM open)",
};

static const struct sql BREAK_OFF = {
    "reconcile_break_off",
    "WITH gone AS (DELETE FROM reconcile_seen WHERE org_id = $1) "
    "UPDATE reconcile_runs SET state = 'FAILED', reason = 'SERVER_SHUTTING_DOWN', "
    "message = 'the server that compared went away', finished_at = now() "
    "WHERE org_id = $1 AND state = 'RUNNING' AND taken_at IS NOT NULL",
};

static const struct sql TAKE = {
    "reconcile_take",
    "UPDATE reconcile_runs SET taken_at = now() WHERE org_id = $1 AND run_id = (SELECT run_id "
    "FROM reconcile_runs WHERE org_id = $1 AND state = 'RUNNING' ORDER BY started_at LIMIT 1) "
    "RETURNING " COLUMNS,
};

static const struct sql START = {
    "reconcile_start",
    "INSERT INTO reconcile_runs (org_id, run_id, state, whole, started_at, taken_at) "
    "VALUES ($1, $2, 'RUNNING', $3, $4, now()) RETURNING " COLUMNS,
};

static const struct sql WRITE = {
    "reconcile_write",
    "UPDATE reconcile_runs SET state = $3, compared = $4, matching = $5, repaired = $6, "
    "unrepaired = $7, calls = $8, lost_events = $9, reason = $10, message = $11, "
    "finished_at = CASE WHEN $3 = 'RUNNING' THEN NULL ELSE now() END, "
    "events_until = CASE WHEN $3 = 'DONE' THEN taken_at END WHERE org_id = $1 AND run_id = $2",
};

static const struct sql LOAD = {
    "reconcile_load",
    "SELECT " COLUMNS " FROM reconcile_runs WHERE org_id = $1 AND run_id = $2",
};

static const struct sql LIST = {
    "reconcile_list",
    "SELECT " COLUMNS " FROM reconcile_runs WHERE org_id = $1 AND ($2::uuid IS NULL "
    "OR run_id < $2) ORDER BY run_id DESC LIMIT $3",
};

static const struct sql SAFE_TIME = {
    "reconcile_safe_time",
    "SELECT coalesce((SELECT max(events_until) FROM reconcile_runs WHERE org_id = $1), "
    "(SELECT created_at FROM stripe_accounts WHERE org_id = $1))",
};

static const struct sql SEE = {
    "reconcile_see",
    "INSERT INTO reconcile_seen (org_id, run_id, object_id) SELECT DISTINCT $1::bigint, $2::uuid, "
    "n.id FROM unnest($3::text[]) AS n (id) ON CONFLICT DO NOTHING RETURNING object_id",
};

static const struct sql FORGET_SEEN = {
    "reconcile_forget_seen",
    "DELETE FROM reconcile_seen WHERE org_id = $1 AND run_id = $2",
};

/* Of all organisations together. */
static const struct sql TOTALS = {
    "reconcile_totals",
    "SELECT coalesce(sum(compared), 0)::bigint, coalesce(sum(matching), 0)::bigint FROM "
    "(SELECT DISTINCT ON (org_id) compared, matching FROM reconcile_runs "
    "WHERE state = 'DONE' AND started_at > now() - interval '2 days' "
    "ORDER BY org_id, started_at DESC) AS newest",
};

static const struct sql HEALTH = {
    "reconcile_health",
    "SELECT (SELECT max(w.received_at) FROM webhook_inbox w JOIN stripe_accounts a "
    "ON a.account_id = w.account_id WHERE a.org_id = $1 AND w.live = $2 AND NOT w.listed), "
    "(SELECT count(*) FROM webhook_inbox w JOIN stripe_accounts a ON a.account_id = w.account_id "
    "WHERE a.org_id = $1 AND w.live = $2 AND w.state = 'NEW') + (SELECT coalesce(sum(events), 0) "
    "FROM dirty_objects WHERE org_id = $1 AND quarantined_at IS NULL)::bigint, "
    "(SELECT count(*) FROM webhook_inbox w JOIN stripe_accounts a ON a.account_id = w.account_id "
    "WHERE a.org_id = $1 AND w.live = $2 AND w.state = 'FAILED') + (SELECT coalesce(sum(events), "
    "0) FROM dirty_objects WHERE org_id = $1 AND quarantined_at IS NOT NULL)::bigint, "
    "(SELECT count(*) FROM intents WHERE org_id = $1 AND state = 'PENDING')",
};

/* Over all organisations: this is where the tenant is found out. */
static const struct sql FIND_ACCOUNT = {
    "reconcile_find_account",
    "SELECT org_id FROM stripe_account_index WHERE account_id = $1 ORDER BY live DESC LIMIT 1",
};

/* Over all organisations, by age. */
static const struct sql PRUNE_DRIFTS = {
    "reconcile_prune_drifts",
    "DELETE FROM drift_records WHERE (org_id, drift_id) IN (SELECT org_id, drift_id "
    "FROM drift_records WHERE found_at < now() - make_interval(days => $1) LIMIT $2)",
};

/* Over all organisations, by age; the last ones that were done are kept for their safe time. */
static const struct sql PRUNE_RUNS = {
    "reconcile_prune_runs",
    "DELETE FROM reconcile_runs r WHERE r.started_at < now() - make_interval(days => $1) "
    "AND r.state <> 'RUNNING' AND NOT EXISTS (SELECT FROM drift_records d "
    "WHERE d.org_id = r.org_id AND d.run_id = r.run_id) AND EXISTS (SELECT FROM reconcile_runs n "
    "WHERE n.org_id = r.org_id AND n.state = 'DONE' AND n.started_at > r.started_at)",
};

static enum reconciliation_state state_of(const char *name)
{
    return name[0] == 'R'   ? RECONCILIATION_RUNNING
           : name[0] == 'D' ? RECONCILIATION_DONE
                            : RECONCILIATION_FAILED;
}

static struct reconciliation read_run(struct ctx *cx, const struct rows *rows, size_t row)
{
    return (struct reconciliation){
        .run_id = row_id(rows, row, 0),
        .state = state_of(row_text(cx, rows, row, 1)),
        .whole = row_bool(rows, row, 2),
        .compared = row_i64(rows, row, 3),
        .matching = row_i64(rows, row, 4),
        .repaired = row_i64(rows, row, 5),
        .unrepaired = row_i64(rows, row, 6),
        .calls = row_i64(rows, row, 7),
        .lost_events = row_i64(rows, row, 8),
        .reason = row_text(cx, rows, row, 9),
        .message = row_text(cx, rows, row, 10),
        .started_us = row_time(rows, row, 11),
        .finished_us = row_time(rows, row, 12),
    };
}

static struct status read_turns(
    struct ctx *cx, const struct rows *rows, struct reconcile_turn **ret_turns, size_t *ret_count)
{
    struct reconcile_turn *turns =
        arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *turns);

    if (turns == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        turns[i] = (struct reconcile_turn){row_i64(rows, i, 0), row_bool(rows, i, 1)};
    }
    *ret_turns = turns;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status reconciliation_store_asked(
    struct ctx *cx, struct db *db, size_t max, struct reconcile_turn **ret_turns, size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &ASKED, &p, &rows));
    return read_turns(cx, rows, ret_turns, ret_count);
}

struct status reconciliation_store_due(
    struct ctx *cx,
    struct db *db,
    int64_t minutes,
    int64_t whole_minutes,
    size_t max,
    struct reconcile_turn **ret_turns,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i32(&p, (int32_t)minutes);
    params_i32(&p, (int32_t)whole_minutes);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &DUE, &p, &rows));
    return read_turns(cx, rows, ret_turns, ret_count);
}

struct status reconciliation_store_lock(struct ctx *cx, struct tx *tx, bool *ret_locked)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    TRY(tx_query(cx, tx, &LOCK, &p, &rows));
    *ret_locked = row_bool(rows, 0, 0);
    return STATUS_OK;
}

struct status reconciliation_store_hold(struct ctx *cx, struct tx *tx)
{
    return tx_execute(cx, tx, &HOLD, &NO_PARAMS, NULL);
}

struct status reconciliation_store_ask(
    struct ctx *cx, struct tx *tx, const struct reconciliation *run, struct id *ret_open)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &run->run_id);
    params_bool(&p, run->whole);
    params_time(&p, run->started_us);
    TRY(tx_query(cx, tx, &ASK, &p, &rows));
    *ret_open = row_id(rows, 0, 0);
    return STATUS_OK;
}

struct status
reconciliation_store_take(struct ctx *cx, struct db *db, bool whole, struct reconciliation *ret_run)
{
    const struct id run_id = id_new(cx->now_us);
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    TRY(db_execute(cx, db, &BREAK_OFF, &p, NULL));
    TRY(db_query(cx, db, &TAKE, &p, &rows));
    if (rows_count(rows) == 0) {
        rows_release(&rows);
        params_id(&p, &run_id);
        params_bool(&p, whole);
        params_time(&p, cx->now_us);
        TRY(db_query(cx, db, &START, &p, &rows));
    }
    *ret_run = read_run(cx, rows, 0);
    return STATUS_OK;
}

struct status
reconciliation_store_write(struct ctx *cx, struct db *db, const struct reconciliation *run)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, &run->run_id);
    params_text(&p, reconciliation_state_name(run->state));
    params_i64(&p, run->compared);
    params_i64(&p, run->matching);
    params_i64(&p, run->repaired);
    params_i64(&p, run->unrepaired);
    params_i64(&p, run->calls);
    params_i64(&p, run->lost_events);
    params_text(&p, run->reason);
    params_text(&p, run->message);
    return db_execute(cx, db, &WRITE, &p, NULL);
}

struct status reconciliation_store_load(
    struct ctx *cx, struct db *db, const struct id *run_id, struct reconciliation *ret_run)
{
    const char *text = id_text(cx->arena, ID_RECONCILIATION, run_id);
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, run_id);
    TRY(db_query(cx, db, &LOAD, &p, &rows));
    if (rows_count(rows) == 0) {
        return status_pair(
            cx,
            status_fail(
                cx, REASON_RECONCILE_RUN_NOT_FOUND, "comparison \"%s\" does not exist", text),
            "reconcile_run_id",
            text);
    }
    *ret_run = read_run(cx, rows, 0);
    return STATUS_OK;
}

struct status reconciliation_store_list(
    struct ctx *cx,
    struct db *db,
    const struct id *before,
    size_t max,
    struct reconciliation **ret_runs,
    size_t *ret_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    struct reconciliation *runs = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, before);
    params_i64(&p, (int64_t)max);
    TRY(db_query(cx, db, &LIST, &p, &rows));
    runs = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *runs);
    if (runs == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        runs[i] = read_run(cx, rows, i);
    }
    *ret_runs = runs;
    *ret_count = rows_count(rows);
    return STATUS_OK;
}

struct status reconciliation_store_safe_time(struct ctx *cx, struct db *db, int64_t *ret_us)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    TRY(db_query(cx, db, &SAFE_TIME, &p, &rows));
    *ret_us = row_time(rows, 0, 0);
    return STATUS_OK;
}

struct status reconciliation_store_see(
    struct ctx *cx,
    struct db *db,
    const struct id *run_id,
    const char *const *object_ids,
    size_t count,
    const char *const **ret_new,
    size_t *ret_new_count)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;
    const char **fresh = NULL;

    params_i64(&p, cx->caller.org_id);
    params_id(&p, run_id);
    params_text_array(cx, &p, object_ids, count);
    TRY(db_query(cx, db, &SEE, &p, &rows));
    fresh = arena_try_alloc(cx->arena, (rows_count(rows) + 1) * sizeof *fresh);
    if (fresh == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < rows_count(rows); i++) {
        fresh[i] = row_text(cx, rows, i, 0);
    }
    *ret_new = fresh;
    *ret_new_count = rows_count(rows);
    return STATUS_OK;
}

struct status
reconciliation_store_forget_seen(struct ctx *cx, struct db *db, const struct id *run_id)
{
    struct params p = {0};

    params_i64(&p, cx->caller.org_id);
    params_id(&p, run_id);
    return db_execute(cx, db, &FORGET_SEEN, &p, NULL);
}

struct status
reconciliation_store_totals(struct ctx *cx, struct db *db, struct mirror_totals *ret_totals)
{
    AUTO_ROWS rows = NULL;

    TRY(db_query(cx, db, &TOTALS, &NO_PARAMS, &rows));
    *ret_totals = (struct mirror_totals){row_i64(rows, 0, 0), row_i64(rows, 0, 1)};
    return STATUS_OK;
}

struct status
reconciliation_store_health(struct ctx *cx, struct db *db, struct mirror_health *ret_health)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_i64(&p, cx->caller.org_id);
    params_bool(&p, cx->caller.live);
    TRY(db_query(cx, db, &HEALTH, &p, &rows));
    *ret_health = (struct mirror_health){
        .last_event_us = row_time(rows, 0, 0),
        .pending_events = row_i64(rows, 0, 1),
        .quarantined_events = row_i64(rows, 0, 2),
        .pending_operations = row_i64(rows, 0, 3),
    };
    return STATUS_OK;
}

struct status reconciliation_store_find_account(
    struct ctx *cx, struct db *db, const char *account_id, int64_t *ret_org_id)
{
    struct params p = {0};
    AUTO_ROWS rows = NULL;

    params_text(&p, account_id);
    TRY(db_query(cx, db, &FIND_ACCOUNT, &p, &rows));
    *ret_org_id = rows_count(rows) == 0 ? 0 : row_i64(rows, 0, 0);
    return STATUS_OK;
}

struct status reconciliation_store_prune(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count)
{
    struct params p = {0};
    int64_t drifts = 0;

    params_i32(&p, (int32_t)keep_days);
    TRY(db_execute(cx, db, &PRUNE_RUNS, &p, NULL));
    params_i64(&p, (int64_t)max);
    TRY(db_execute(cx, db, &PRUNE_DRIFTS, &p, &drifts));
    *ret_count = (size_t)drifts;
    return STATUS_OK;
}
