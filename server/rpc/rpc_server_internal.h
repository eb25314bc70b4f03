#pragma once

/* The parts of a server, for the files of this folder. What is not written after the start has no
 * remark. */

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <grpc/grpc.h>

#include "base/arena.h"
#include "base/metrics.h"
#include "rpc/rpc_call_list.h"
#include "rpc/rpc_call_pool.h"
#include "rpc/rpc_method_index.h"
#include "rpc/rpc_poller.h"
#include "rpc/rpc_request_id.h"
#include "rpc/rpc_server.h"
#include "rpc/rpc_stream.h"
#include "rpc/rpc_workers.h"

struct rpc_descriptors;
struct rpc_health;
struct rpc_listener;
struct rpc_peers;
struct rpc_tls;

/* Behind the lanes of the methods: the one that runs the steps of streams. */
#define RPC_LANE_STREAM RPC_LANE_COUNT
#define RPC_LANES (RPC_LANE_COUNT + 1)

#define RPC_DRAIN_RETRY_MS 1000
#define RPC_DRAIN_STALL_MS 500 /* while draining, nobody waits longer for a peer */

struct rpc_server {
    struct rpc_server_config config; /* defaults filled in; the texts are in the arena */
    struct arena arena;
    const struct rpc_method_table *table;
    struct rpc_method_table health_table;
    struct rpc_method_table reflection_table;
    struct rpc_descriptors *descriptors;
    struct rpc_method_index *index;
    struct rpc_health *health;
    struct rpc_entry *health_watch;
    struct rpc_poller *poller;
    struct rpc_workers *lanes[RPC_LANES]; /* NULL: INLINE */
    struct rpc_peers *peers;              /* NULL with TLS */
    struct rpc_listener *listener;        /* NULL with TLS */
    struct rpc_tls *tls;                  /* NULL without */
    grpc_server *core;
    const char *address;
    struct metric_series *inflight;
    bool running; /* between rpc_server_start() and rpc_server_stop() */

    _Atomic bool draining;
    _Atomic size_t live;         /* calls that are not finished */
    _Atomic bool health_changed; /* a post is on its way to the watchers */
    sem_t core_stopped;          /* posted when the core has told the end of the server */
    _Atomic int posters;         /* threads inside rpc_server_health() */
    _Atomic bool posts_wanted;
    struct rpc_event on_start;
    struct rpc_event on_health;
    struct rpc_event on_drain;
    struct rpc_event on_core_stopped;

    struct rpc_request_ids request_ids; /* the polling thread's */
    struct rpc_call_pool calls;         /* the polling thread's */
    struct rpc_call_list waiting;       /* unary, for their message: the polling thread's */
    struct rpc_call_list streams;       /* the polling thread's */
    /* Includes the streams whose last step is still to run, so that the queue of their lane has
     * room for each. */
    _Atomic size_t stream_count;
};
