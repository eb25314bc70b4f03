#include "rpc/rpc_drain.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/log.h"
#include "rpc/rpc_health.h"
#include "rpc/rpc_listener.h"
#include "rpc/rpc_peers.h"
#include "rpc/rpc_server_internal.h"

/* Load balancers that watch the health see it before calls are refused, and calls that are on their
 * way are refused by us, with a reason, before the core is told to end. */
#define NOTICE_MS 50
#define LOOK_EVERY_MS 10
#define IDLE_PEERS_MS 1000 /* for peers without calls to answer the GOAWAY */
#define COMPLAIN_AFTER_MS 10000

/* Busy connections are told as soon as they are quiet for a moment. */
static void give_notice(struct rpc_server *server)
{
    for (int ms = 0; ms < NOTICE_MS; ms += LOOK_EVERY_MS) {
        if (server->peers != NULL) {
            (void)rpc_peers_go_away(server->peers);
        }
        usleep(LOOK_EVERY_MS * 1000);
    }
}

static bool wait_for_core(struct rpc_server *server, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return sem_clockwait(&server->core_stopped, CLOCK_MONOTONIC, &until) == 0;
}

/* True when the core has ended by itself. */
static bool wait_for_calls(struct rpc_server *server)
{
    const int64_t deadline_us = deadline_in_ms(server->config.drain_ms_max);
    int64_t idle_us = INT64_MAX;

    while (deadline_left_ms(deadline_us, 1) > 0 && deadline_left_ms(idle_us, 1) > 0) {
        if (wait_for_core(server, LOOK_EVERY_MS)) {
            return true;
        }
        if (atomic_load(&server->live) > 0) {
            idle_us = INT64_MAX;
        } else if (idle_us == INT64_MAX) {
            idle_us = deadline_in_ms(IDLE_PEERS_MS);
        }
    }
    return false;
}

static void cancel_rest(struct rpc_server *server)
{
    const size_t live = atomic_load(&server->live);

    if (live > 0) {
        log_warn(NULL, "calls are cancelled by the end of the server", LOG_I64("calls", live));
    }
    grpc_server_cancel_all_calls(server->core);
    while (!wait_for_core(server, LOOK_EVERY_MS)) {
    }
}

/* Handlers see that their calls are cancelled; one that does not look keeps us here. */
static void wait_for_workers(struct rpc_server *server)
{
    const int64_t patience_us = deadline_in_ms(COMPLAIN_AFTER_MS);

    while (atomic_load(&server->live) > 0 && deadline_left_ms(patience_us, 1) > 0) {
        usleep(LOOK_EVERY_MS * 1000);
    }
    if (atomic_load(&server->live) > 0) {
        log_warn(NULL, "a handler does not see that its call is cancelled");
    }
    while (atomic_load(&server->live) > 0) {
        usleep(LOOK_EVERY_MS * 1000);
    }
}

/* Nobody posts to the polling thread any more. */
static void end_posts(struct rpc_server *server)
{
    atomic_store(&server->posts_wanted, false);
    while (atomic_load(&server->posters) > 0) {
        sched_yield();
    }
}

void rpc_drain(struct rpc_server *server)
{
    rpc_server_health(server, "", false);
    if (server->listener != NULL) {
        rpc_listener_stop(server->listener);
    }
    give_notice(server);
    end_posts(server);
    if (!rpc_poller_post(server->poller, &server->on_drain)) {
        log_error(NULL, "no memory to end the streams, cancelling them");
        atomic_store(&server->draining, true);
    }
    give_notice(server);
    grpc_server_shutdown_and_notify(
        server->core, rpc_poller_queue(server->poller), &server->on_core_stopped);
    if (!wait_for_calls(server)) {
        cancel_rest(server);
    }
    wait_for_workers(server);
    for (int i = 0; i < RPC_LANES; i++) {
        if (server->lanes[i] != NULL) {
            rpc_workers_stop(server->lanes[i]);
        }
    }
    rpc_poller_stop(server->poller);
}
