#pragma once

/* One subscriber of the feed: the events of an organisation, in order, without gaps, from a
 * position on. New ones come from the hub; what the hub does not have (the past, or what overflowed
 * the ring of a slow reader) comes from the event log. Belongs to one thread at a time. */

#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"
#include "domain/event.h"

struct services;
struct watch;

#define WATCH_CUSTOMERS_MAX 1000

struct watch_filter {
    uint64_t types; /* bit of enum event_type; 0: all that are not internal */
    enum event_severity severity_min;
    size_t customer_count;      /* 0: all */
    const struct id *customers; /* copied by watch_open() */
};

enum watch_next {
    WATCH_EVENT,
    WATCH_READY,
    WATCH_HEARTBEAT,
    WATCH_PENDING
};

/* after_seq < 0: from now on. Fails with RESUME_TOKEN_EXPIRED, STREAM_LIMIT_REACHED,
 * DATABASE_UNAVAILABLE. wake as in feed/hub.h. */
struct status watch_open(
    struct ctx *cx,
    struct services *services,
    const struct watch_filter *filter,
    int64_t after_seq,
    void (*wake)(void *user),
    void *user,
    struct watch **ret_watch) MUST_CHECK;

/* *ret_seq is the position up to which everything has been given: the token to resume from.
 * WATCH_READY comes once, when the past has been given. The event lies in the arena of cx.
 * Fails with DATABASE_UNAVAILABLE, RESUME_TOKEN_EXPIRED. */
struct status watch_next(
    struct ctx *cx,
    struct watch *watch,
    enum watch_next *ret_next,
    struct event *ret_event,
    int64_t *ret_seq) MUST_CHECK;

void watch_close(struct watch *watch);
