#pragma once

/* Usage events and their counters. */

#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"
#include "domain/usage.h"

struct db;
struct tx;

/* Stores the events that are new and counts them, in one statement behind the period lock. events
 * are sorted by key and hold each key once. ret_outcomes[i] belongs to events[i]; *ret_counted are
 * the counters that changed, in the arena. Two batches never wait for each other in a circle: keys
 * are inserted in order, then counters. */
struct status usage_store_add(
    struct ctx *cx,
    struct tx *tx,
    const struct usage_event *events,
    size_t count,
    enum usage_outcome *ret_outcomes,
    struct usage_counted **ret_counted,
    size_t *ret_counted_count) MUST_CHECK;

/* One counter per asked window; zeros where nothing was counted. */
struct usage_counter {
    int32_t meter_no;
    enum reset_period reset;
    int64_t window_us;
    int64_t used;
    int64_t reserved;
    int64_t events;
    int64_t last_event_us;
};
struct status usage_store_read(
    struct ctx *cx,
    struct db *db,
    int64_t customer_no,
    struct usage_counter *counters,
    size_t count) MUST_CHECK;

/* Meters of the customer that have a counter of a calendar month at window_us. */
struct status usage_store_meters(
    struct ctx *cx,
    struct db *db,
    int64_t customer_no,
    int64_t window_us,
    int32_t **ret_meters,
    size_t *ret_count) MUST_CHECK;

/* Makes the partitions of the coming periods, and moves the current period on when the time has
 * come. *ret_moved: 1 when it did. */
struct status usage_store_roll(struct ctx *cx, struct db *db, size_t *ret_moved) MUST_CHECK;
