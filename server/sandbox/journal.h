#pragma once

/* The state on disk: every request that changed something, in order, with its time. Whoever reads
 * the file runs the requests again and comes to the same world with the same ids, because all else
 * follows from the seed. One JSON object a line; a line that was cut off by a crash is left out.
 * Guarded by the lock of the simulator. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct call;
struct ctx;
struct event;
struct journal;
struct sim;

/* Opens or creates the file. *seed is what a new file is to begin with (not 0); the file's own
 * comes back. NULL when that cannot be done, said on standard error. Owned by the caller. */
struct journal *journal_open(const char *path, uint64_t *seed) MUST_CHECK;
void journal_close(struct journal *journal);

/* Brings a fresh simulator to where the file ends. False, said on standard error, when the file was
 * written by a simulator that would answer otherwise. Events that nobody has got are delivered. */
bool journal_replay(struct journal *journal, struct sim *sim, struct ctx *cx) MUST_CHECK;

/* Each takes a NULL journal and then does nothing. */
void journal_add_call(struct journal *journal, const struct call *call);
void journal_add_tick(struct journal *journal, const struct sim *sim);
void journal_add_delivery(struct journal *journal, const struct event *event);
