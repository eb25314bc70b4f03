#pragma once

/* What one customer has, in memory: a snapshot of the rows, never changed after it was made, and
 * the counters beside it, which only grow within a window. Counted references; thread-safe. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "domain/entitlement.h"

/* What was last read of the counter of one feature; read and changed as a whole, see below. */
struct entitlement_counter;

struct entitlement_entry {
    const char *feature_key;
    struct entitlement entitlement;
    enum unreachable_policy unreachable;
    struct entitlement_counter
        *counter; /* of the state; changed through entitlement_state_count() */
};

struct entitlement_state {
    _Atomic int64_t references;
    _Atomic bool touched; /* since the evicting hand came by */
    int64_t org_id;
    struct id customer_id;
    int64_t customer_no;
    const char *external_id; /* "" when there is none */
    int64_t state_version;
    struct entitlement_customer customer;
    size_t entry_count;
    const struct entitlement_entry *entries; /* sorted by feature_key */
    pthread_mutex_t counters_lock;
};

/* A copy of everything in one block, with one reference. entries are sorted here. NULL without
 * memory. Release with entitlement_state_put(). */
struct entitlement_state *entitlement_state_new(const struct entitlement_state *input) MUST_CHECK;
struct entitlement_state *entitlement_state_ref(struct entitlement_state *state);
void entitlement_state_put(struct entitlement_state *state);

/* NULL when no source covers the feature. */
const struct entitlement_entry *
entitlement_state_find(const struct entitlement_state *state, const char *feature_key);

/* A reading of the counter of one window; read_us: monotonic time of it. Within a window the larger
 * number wins: readings arrive out of order and counters only grow (what makes one smaller raises
 * the state version instead). */
void entitlement_state_count(
    const struct entitlement_entry *entry,
    int64_t window_us,
    int64_t used,
    int64_t reserved,
    int64_t read_us);

/* The counter of the window; zeros with *ret_read_us = 0 when that window was never read. */
struct entitlement_usage entitlement_state_usage(
    const struct entitlement_entry *entry, int64_t window_us, int64_t *ret_read_us);
