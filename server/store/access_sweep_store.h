#pragma once

/* Walks the customers of organisations whose payment account was disconnected or connected again,
 * over all organisations. stripe_account_store_disconnect() begins a walk. */

#include <stddef.h>

#include "base/id.h"
#include "base/status.h"

struct ctx;
struct db;

#define ACCESS_SWEEP_MAX 100

struct access_sweep {
    int64_t org_id; /* 0: there is no walk */
    struct id after;
    struct id customers[ACCESS_SWEEP_MAX];
    size_t count; /* fewer than ACCESS_SWEEP_MAX: the walk ends with these */
};

/* The next customers with a subscription that has not ended. */
struct status
access_sweep_store_next(struct ctx *cx, struct db *db, struct access_sweep *ret_sweep) MUST_CHECK;

/* These are done; the walk is over when they were the last. No effect when the walk was begun anew
 * meanwhile. */
struct status
access_sweep_store_done(struct ctx *cx, struct db *db, const struct access_sweep *sweep) MUST_CHECK;
