#pragma once

/* Differences that comparisons found: table drift_records, and what is known of their cause. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/reconciliation.h"

struct ctx;
struct db;
struct tx;

struct status
drift_store_insert(struct ctx *cx, struct tx *tx, const struct drift *drift) MUST_CHECK;

struct drift_filter {
    struct id run_id; /* zero: of all */
    enum drift_kind kind;
    bool open_only;
    struct id before; /* zero: from the newest */
};

/* Newest first. */
struct status drift_store_list(
    struct ctx *cx,
    struct db *db,
    const struct drift_filter *filter,
    size_t max,
    struct drift **ret_drifts,
    size_t *ret_count) MUST_CHECK;

/* The newest event about an object that came, and what became of it. */
struct drift_event {
    bool found;
    bool waits;     /* it, or the object because of it, is still to be handled */
    bool set_aside; /* it failed, or the object did */
    int64_t received_us;
};
struct status drift_store_event(
    struct ctx *cx,
    struct db *db,
    const char *account_id,
    const char *object_id,
    struct drift_event *ret_event) MUST_CHECK;

/* It was repaired after all. */
struct status
drift_store_repaired(struct ctx *cx, struct tx *tx, const struct id *drift_id) MUST_CHECK;
