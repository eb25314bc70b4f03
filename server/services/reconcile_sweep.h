#pragma once

/* The parts of one comparison; services/reconcile.h is its outside.
 *
 *     events:   what the payment side says has happened and never came     (reconcile_events.c)
 *     objects:  page by page, what differs                                 (reconcile_objects.c)
 *     check:    one object, read anew, compared, repaired and recorded     (reconcile_check.c)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/reconciliation.h"
#include "services/reconcile_view.h"

struct ctx;
struct services;
struct stripe_client;
struct tx;

#define RECONCILE_PAGE 100
#define SWEEP_ID_SIZE 256 /* of an id of the payment side */

struct sweep {
    struct services *services;
    struct stripe_client *client;
    const char *account_id;
    struct tx *lock;
    struct reconciliation run;
    int64_t start_fetch;     /* rows with a higher number were read since it began */
    int64_t objects_from_us; /* not whole: how old an ended object may be */
};

enum sweep_object {
    SWEEP_SUBSCRIPTION,
    SWEEP_INVOICE,
};
#define SWEEP_OBJECTS 2

const char *sweep_object_type(enum sweep_object object); /* "subscription" */

/* Why an object is looked at. */
struct sweep_hint {
    const char *cause; /* NULL: to be found out */
    int64_t since_us;  /* when it changed; 0: not known */
};

/* Reads the object at the payment side, compares and counts it; repairs and records a difference.
 * An object that is none of ours counts for nothing. */
struct status sweep_check(
    struct ctx *cx,
    struct sweep *sweep,
    enum sweep_object object,
    const char *stripe_id,
    const struct sweep_hint *hint) MUST_CHECK;

struct status sweep_events(struct ctx *cx, struct sweep *sweep) MUST_CHECK;
struct status
sweep_objects(struct ctx *cx, struct sweep *sweep, enum sweep_object object) MUST_CHECK;

/* Counts a call to the payment side; true, after a pause, when it should be made again: it was away
 * or busy, and that was not too often. */
bool sweep_again(struct ctx *cx, struct sweep *sweep, struct status status, int *tries);

/* One step with memory of its own, so that a comparison of many pages takes that of one. Fails,
 * too, when the lock is lost or nobody waits any more. */
typedef struct status (*sweep_work)(struct ctx *cx, struct sweep *sweep, void *user);
struct status
sweep_step(struct ctx *cx, struct sweep *sweep, sweep_work work, void *user) MUST_CHECK;

void sweep_note_id(char ret_id[SWEEP_ID_SIZE], const char *id);

/* False when it was cut short. */
bool sweep_pause(const struct ctx *cx, int64_t ms);

/* Adds a difference, still open, in the transaction of its repair. */
struct status sweep_record(struct ctx *cx, struct tx *tx, const struct drift *drift) MUST_CHECK;

/* It is final: repaired or not. Counts it, and tells the organisation. */
struct status
sweep_settle(struct ctx *cx, struct sweep *sweep, struct drift *drift, bool repaired) MUST_CHECK;
