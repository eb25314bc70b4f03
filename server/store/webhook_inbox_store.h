#pragma once

/* Events of the payment side, stored before anything is done with them: table webhook_inbox. It has
 * no tenant in its key, because the tenant is what has to be found out.
 *
 *     NEW --> DONE       its object was marked as changed
 *         --> IGNORED    of a type that changes nothing here
 *         --> PARKED     of an account that is none of ours (yet) --> NEW when the account appears
 *         --> FAILED     could not be handled, several times; also what came to the wrong address
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct ctx;
struct db;
struct tx;

enum inbox_state {
    INBOX_NEW,
    INBOX_DONE,
    INBOX_PARKED,
    INBOX_IGNORED,
    INBOX_FAILED
};

struct inbox_event {
    const char *account_id; /* "" for the platform's own */
    const char *event_id;
    bool live;
    const char *type;
    const char *object_type;
    const char *object_id;
    const char *request_key;
    int64_t event_us;
    const char *api_version;
    struct str payload;
    enum inbox_state state;
    const char *error;
    /* set when it is read back; the payload is not */
    int64_t inbox_id;
    int64_t received_us;
    int64_t org_id; /* 0: of no account that we know */
};

/* In one statement. *ret_inserted false: it was there already. */
struct status webhook_inbox_store_insert(
    struct ctx *cx, struct db *db, const struct inbox_event *event, bool *ret_inserted) MUST_CHECK;

/* The oldest NEW ones that nobody else is at, locked until the end of the transaction. */
struct status webhook_inbox_store_take(
    struct ctx *cx, struct tx *tx, size_t max, struct inbox_event **ret_events, size_t *ret_count)
    MUST_CHECK;

/* Writes the states of events that were taken. */
struct status webhook_inbox_store_settle(
    struct ctx *cx, struct tx *tx, const struct inbox_event *events, size_t count) MUST_CHECK;

/* One more failure of a NEW event; with that many it is FAILED, and out of the way of the others.
 */
struct status webhook_inbox_store_fail(
    struct ctx *cx,
    struct db *db,
    const struct inbox_event *event,
    const char *error,
    int64_t attempts_max) MUST_CHECK;

/* PARKED ones whose account is known now become NEW. */
struct status
webhook_inbox_store_unpark(struct ctx *cx, struct db *db, size_t *ret_count) MUST_CHECK;

/* Deletes handled events that are older than so many days. */
struct status webhook_inbox_store_prune(
    struct ctx *cx, struct db *db, int64_t keep_days, size_t max, size_t *ret_count) MUST_CHECK;
