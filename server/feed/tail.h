#pragma once

/* The one reader of the event log in a process: a thread that reads what was committed, in the
 * order of each organisation, and tells its observers. It is woken by NOTIFY and looks once a
 * second all the same. While the log cannot be read it says so, tries again, and then goes on where
 * it was: nothing is lost or told twice. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/event.h"

struct ctx;
struct db;
struct tail;

struct tail_observer {
    /* One event; on the tail's thread, must not block. May be NULL. */
    void (*event)(void *user, const struct event *event);
    /* After each reading: everything that was committed before as_of_us has been told. */
    void (*followed)(void *user, int64_t as_of_us);
    /* The log could not be read: from now on changes may be unseen. Called again with every try
     * that fails, about once a second. */
    void (*lost)(void *user);
    /* Every 30 s, for heartbeats. May be NULL. */
    void (*tick)(void *user);
    void *user;
};

/* Observers are copied. */
struct status tail_new(
    struct ctx *cx,
    struct db *db,
    const struct tail_observer *observers,
    size_t count,
    struct tail **ret_tail) MUST_CHECK;

/* Takes the position first, then starts the thread: what is loaded after this call is followed. */
struct status tail_start(struct ctx *cx, struct tail *tail) MUST_CHECK;
void tail_stop(struct tail *tail);
void tail_free(struct tail *tail);
