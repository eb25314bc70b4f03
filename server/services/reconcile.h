#pragma once

/* Comparing the mirror with the payment side, account by account: events that never came, objects
 * that are missing or differ on either side, calls that were never settled. A difference is
 * repaired through the same guarded write as everything else, recorded with its likely cause and
 * age, and told to the organisation.
 *
 * It costs a call for each 100 objects and one for each difference, leaves half of the budget of
 * calls to others, and takes the memory of one page. One server at a time compares an account. */

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "domain/reconciliation.h"
#include "store/drift_store.h"
#include "store/reconciliation_store.h"

struct ctx;
struct services;
struct tx;

/* Compares the account of the caller's organisation now; an older request that waits is answered by
 * this run, too. *ret_ran false: another server is at it. A run that breaks off is FAILED, and its
 * reason is the status. */
struct status reconcile_run(
    struct ctx *cx,
    struct services *services,
    bool whole,
    bool *ret_ran,
    struct reconciliation *ret_run) MUST_CHECK;

/* What was asked for or broken off; *ret_count: how many were run. Over all organisations. */
struct status
reconcile_asked(struct ctx *cx, struct services *services, size_t *ret_count) MUST_CHECK;

/* Those whose time has come. Over all organisations. */
struct status
reconcile_due(struct ctx *cx, struct services *services, size_t *ret_count) MUST_CHECK;

/* Sets the metrics of accuracy and staleness. */
struct status reconcile_measure(struct ctx *cx, struct services *services) MUST_CHECK;

/* Deletes runs and differences that are older than events are kept. */
struct status reconcile_prune(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;

/* Asks for a comparison, which a server then runs. Fails with PAYMENT_ACCOUNT_NOT_CONNECTED, and
 * with RATE_LIMITED while one is running. */
struct status reconcile_start(
    struct ctx *cx, struct tx *tx, bool whole, struct reconciliation *ret_run) MUST_CHECK;

/* How the mirror of the caller's organisation is doing. */
struct reconcile_health {
    int64_t as_of_us;
    struct mirror_health mirror;
    bool compared; /* there is a last run */
    struct reconciliation last;
    struct reconciliation last_done; /* run_id zero: none */
};
struct status reconcile_health(
    struct ctx *cx, struct services *services, struct reconcile_health *ret_health) MUST_CHECK;
