#pragma once

/* The completion queue of gRPC and the one thread that serves it. Whatever completes is an event;
 * it fires on that thread, exactly once per start. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <grpc/grpc.h>

#include "base/status.h"

struct ctx;
struct rpc_poller;

/* A place in the memory of whoever waits; its address is the tag of a batch. */
struct rpc_event {
    void *owner;
    void (*_Atomic fire)(void *owner, bool ok); /* last: whoever reads it sees the owner */
};

static inline void
rpc_event_init(struct rpc_event *event, void (*fire)(void *owner, bool ok), void *owner)
{
    event->owner = owner;
    atomic_store_explicit(&event->fire, fire, memory_order_release);
}

/* Owned by the caller, free with rpc_poller_free(). Fails with INTERNAL. */
struct status rpc_poller_new(struct ctx *cx, struct rpc_poller **ret_poller) MUST_CHECK;

/* After rpc_poller_stop(), or when it was never started. Takes NULL. */
void rpc_poller_free(struct rpc_poller *poller);

grpc_completion_queue *rpc_poller_queue(struct rpc_poller *poller);

/* An event that fires now is about to write an answer to the connection fd: see rpc_cork.h. */
void rpc_poller_answers(struct rpc_poller *poller, int fd);

/* tick is called on the thread about every tick_ms. Fails with INTERNAL. */
struct status rpc_poller_start(
    struct ctx *cx,
    struct rpc_poller *poller,
    int64_t tick_ms,
    void (*tick)(void *data),
    void *data) MUST_CHECK;

/* Fires the event, which is borrowed, on the polling thread. Thread-safe; not after
 * rpc_poller_stop(). False without memory: then it does not fire. */
bool rpc_poller_post(struct rpc_poller *poller, const struct rpc_event *event) MUST_CHECK;

/* Fires what is left and joins the thread. Nothing may be started on the queue any more. */
void rpc_poller_stop(struct rpc_poller *poller);
