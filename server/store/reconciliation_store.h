#pragma once

/* Comparisons of the mirror with the payment side: the table reconcile_runs, the lock that keeps
 * two servers from comparing the same organisation at once, and what a running one has seen.
 *
 * A run is RUNNING from the moment it is asked for; whoever holds the lock works on it. One that
 * was taken and whose lock is free was broken off by a crash. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/reconciliation.h"

struct ctx;
struct db;
struct tx;

/* An organisation whose turn it is. */
struct reconcile_turn {
    int64_t org_id;
    bool whole;
};

/* Those with a run that was asked for or broken off. Over all organisations, as is the next. */
struct status reconciliation_store_asked(
    struct ctx *cx, struct db *db, size_t max, struct reconcile_turn **ret_turns, size_t *ret_count)
    MUST_CHECK;

/* Those with a connected account and no run for so many minutes; whole when the last whole one is
 * longer ago than whole_minutes. */
struct status reconciliation_store_due(
    struct ctx *cx,
    struct db *db,
    int64_t minutes,
    int64_t whole_minutes,
    size_t max,
    struct reconcile_turn **ret_turns,
    size_t *ret_count) MUST_CHECK;

/* Tries to become the one that compares the caller's organisation, until tx ends; it may stay open
 * for as long as that takes, and holds back nobody. *ret_locked false: somebody else is at it. */
struct status reconciliation_store_lock(struct ctx *cx, struct tx *tx, bool *ret_locked) MUST_CHECK;

/* Fails when the lock is lost, as with the connection. */
struct status reconciliation_store_hold(struct ctx *cx, struct tx *tx) MUST_CHECK;

/* Writes a run that is asked for. *ret_open: the one that is RUNNING already, then nothing is
 * written; zero when there is none. The caller's organisation is locked until the commit. */
struct status reconciliation_store_ask(
    struct ctx *cx, struct tx *tx, const struct reconciliation *run, struct id *ret_open)
    MUST_CHECK;

/* The run to work on, with the lock held: the one that was asked for, else a new one. Runs that
 * were broken off are FAILED now. */
struct status reconciliation_store_take(
    struct ctx *cx, struct db *db, bool whole, struct reconciliation *ret_run) MUST_CHECK;

/* The counts so far; state and end when it is over. */
struct status reconciliation_store_write(
    struct ctx *cx, struct db *db, const struct reconciliation *run) MUST_CHECK;

/* RECONCILE_RUN_NOT_FOUND. */
struct status reconciliation_store_load(
    struct ctx *cx, struct db *db, const struct id *run_id, struct reconciliation *ret_run)
    MUST_CHECK;

/* Newest first, behind the run `before` (zero: from the newest). */
struct status reconciliation_store_list(
    struct ctx *cx,
    struct db *db,
    const struct id *before,
    size_t max,
    struct reconciliation **ret_runs,
    size_t *ret_count) MUST_CHECK;

/* Up to when all events are known to be in the inbox: the start of the last run that was done, else
 * the connection of the account. */
struct status
reconciliation_store_safe_time(struct ctx *cx, struct db *db, int64_t *ret_us) MUST_CHECK;

/* Notes the objects as seen by the run; *ret_new are those that were not yet. */
struct status reconciliation_store_see(
    struct ctx *cx,
    struct db *db,
    const struct id *run_id,
    const char *const *object_ids,
    size_t count,
    const char *const **ret_new,
    size_t *ret_new_count) MUST_CHECK;
struct status
reconciliation_store_forget_seen(struct ctx *cx, struct db *db, const struct id *run_id) MUST_CHECK;

/* How the mirror is doing: of the last comparison of each organisation, together. */
struct mirror_totals {
    int64_t compared;
    int64_t matching;
};
struct status reconciliation_store_totals(
    struct ctx *cx, struct db *db, struct mirror_totals *ret_totals) MUST_CHECK;

/* Of the caller's organisation; events by its account. */
struct mirror_health {
    int64_t last_event_us; /* 0: never */
    int64_t pending_events;
    int64_t quarantined_events;
    int64_t pending_operations;
};
struct status reconciliation_store_health(
    struct ctx *cx, struct db *db, struct mirror_health *ret_health) MUST_CHECK;

/* The organisation of an account, 0 when it is not known. Over all organisations. */
struct status reconciliation_store_find_account(
    struct ctx *cx, struct db *db, const char *account_id, int64_t *ret_org_id) MUST_CHECK;

/* Deletes runs and their drifts that are older than so many days, at most max drifts. */
struct status reconciliation_store_prune(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count) MUST_CHECK;
