#pragma once

/* What has happened, per organisation in the order of commit, numbered 1, 2, 3 ... without gaps.
 *
 * Appending takes the numbers from the organisation's row of event_heads and so locks it until the
 * commit. A later transaction therefore gets its numbers after the earlier one is visible: of one
 * organisation every snapshot sees a prefix. That is what makes reading simple: a row that can be
 * seen can be delivered. */

#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"

struct ctx;
struct db;
struct tx;
struct event;

/* Notified with each commit that appended something; see store/db_listen.h. */
#define EVENT_LOG_CHANNEL "billingos_events"

#define EVENT_LOG_APPEND_MAX 1000

struct event_log_entry {
    int64_t org_id;
    int64_t seq; /* given by the append; ignored there */
    struct id event_id;
    const char *type;          /* "subscription.activated" */
    struct id customer_id;     /* the zero id: about no customer */
    struct id subscription_id; /* the zero id: about no subscription */
    const char *payload;       /* a JSON object */
    int64_t created_us;
    const char *request_id; /* of the call that caused it; NULL or "": none */
};

struct event_log_page {
    const struct event_log_entry *entries;
    size_t count;
};

/* Appends in the order given, as the last statement of the transaction: it goes out with the
 * COMMIT, in one round trip, so a failure appears there. Entries of several organisations may be
 * mixed; their rows are locked in ascending order. count = 0 does nothing. Call it once per
 * transaction. */
struct status event_log_append(
    struct ctx *cx, struct tx *tx, const struct event_log_entry *entries, size_t count) MUST_CHECK;

/* Up to max entries of one organisation behind after_seq, in order. */
struct status event_log_read(
    struct ctx *cx,
    struct db *db,
    int64_t org_id,
    int64_t after_seq,
    size_t max,
    struct event_log_page *ret_page) MUST_CHECK;

/* What is kept of one organisation: entries floor_seq to head_seq; nothing is kept when the floor
 * is one above the head (1 and 0 for one that never had any). A reader at `after_seq` has lost
 * nothing when after_seq + 1 >= floor_seq. */
struct event_log_range {
    int64_t floor_seq;
    int64_t head_seq;
};

struct status event_log_floor(
    struct ctx *cx, struct db *db, int64_t org_id, struct event_log_range *ret_range) MUST_CHECK;

/* Told of each event that a transaction of this process has queued, right after its commit and on
 * the thread that committed: for what a caller must see in the next call, without waiting for the
 * tail. The seq is not known here. Set before the first transaction; must not block. */
typedef void (*event_observer)(void *user, const struct event_log_entry *entry);
void event_log_observe(struct db *db, event_observer observer, void *user);

/* Queues an event of the caller's organisation on the transaction: tx_commit() appends what was
 * queued, in this order, as its last statement. Nothing remains of it when the transaction rolls
 * back. At most EVENT_LOG_APPEND_MAX a transaction, over it REQUEST_TOO_COSTLY. event->payload may
 * be NULL ("{}"); it is borrowed until the commit. */
struct status event_log_add(struct ctx *cx, struct tx *tx, const struct event *event) MUST_CHECK;
