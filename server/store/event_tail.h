#pragma once

/* Reading the event log of all organisations as it grows: every committed entry exactly once, per
 * organisation in order, without ever waiting for a transaction that is still open.
 * Belongs to one thread.
 *
 * There is no cursor over all organisations that could not pass an entry which is committed later.
 * Instead each reading takes the oldest transaction that was open in its snapshot (its xmin); what
 * that snapshot could not see was written by this transaction or a later one, so the next reading
 * asks for `xid >= xmin` and leaves out, per organisation, what was delivered before.
 *
 *      pass n   reads xid >= xmin of pass n-1      pass n+1 reads xid >= xmin of pass n
 *               page, page, page ...               ...
 *
 * A pass finds up to 20,000 entries in one snapshot, whose xmin is the pass's when that was all,
 * and gives them in pages. Organisations take turns of 100, so a flood of one does not hold up
 * another. */

#include <stddef.h>

#include "base/status.h"
#include "store/event_log.h"

struct event_tail;

/* How many organisations may have entries newer than the oldest open transaction. */
#define EVENT_TAIL_ORGS_MAX 262144

/* NULL without memory. Owned by the caller, free with event_tail_free(). */
struct event_tail *event_tail_new(void) MUST_CHECK;
void event_tail_free(struct event_tail *tail);

/* Begins at this moment: what is committed now is not delivered, all that follows is. A reader that
 * wants a state and then its changes starts the tail first and loads the state afterwards. */
struct status event_tail_start(struct ctx *cx, struct db *db, struct event_tail *tail) MUST_CHECK;

/* The next page of at most max entries, of each organisation in order; empty when there is nothing
 * new. A full page may be followed by another at once. After a failure the same call is repeated:
 * nothing was passed over. Starts the tail when that was not done.
 *
 * Fails with DATABASE_UNAVAILABLE also when the database has been replaced by one that knows less
 * (a failover to a standby that lagged): entries may be lost, the tail starts anew with the next
 * call, and whoever keeps a state loads it again, as after every failure. */
struct status event_tail_read(
    struct ctx *cx,
    struct db *db,
    struct event_tail *tail,
    size_t max,
    struct event_log_page *ret_page) MUST_CHECK;
