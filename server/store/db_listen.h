#pragma once

/* A connection that listens to one NOTIFY channel, beside the pool. Belongs to one thread.
 *
 * The loop of its owner:
 *
 *     for (;;) {
 *         struct status status = db_listener_wait(cx, listener, 1000, &woken);
 *         if (status.code != CODE_OK) { connected = false; drop the cache; continue; }
 *         read what is new, if woken
 *     }
 *
 * The first success after a failure is woken, and by then the channel is listened to: whatever is
 * committed after the read that follows will wake again. Nothing is lost in between, except that
 * notifications of the time without a connection are not delivered one by one. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct ctx;
struct db;
struct db_listener;

/* Connects when first waited for. channel is a plain lower-case name. Borrows the database. Owned
 * by the caller, free with db_listener_free(). */
struct status db_listener_new(
    struct ctx *cx, struct db *db, const char *channel, struct db_listener **ret_listener)
    MUST_CHECK;
void db_listener_free(struct db_listener *listener);

/* Waits until something was notified, or for timeout_ms. When there is no connection it first waits
 * out the back-off, within the same time, and connects. Fails with DATABASE_UNAVAILABLE when the
 * connection is lost or cannot be made, CANCELLED, DEADLINE_EXCEEDED; may be called again at once.
 */
struct status db_listener_wait(
    struct ctx *cx, struct db_listener *listener, int64_t timeout_ms, bool *ret_woken) MUST_CHECK;

/* True when the channel is listened to. */
bool db_listener_connected(const struct db_listener *listener);
