#include "rpc/rpc_poller.h"

#include <pthread.h>
#include <signal.h>

#include "base/ctx.h"
#include "base/deadline.h"
#include "base/heap.h"
#include "rpc/rpc_cork.h"

/* Under load the queue is never empty, so the clock is looked at every so many events. */
#define EVENTS_PER_LOOK 256

struct rpc_poller {
    grpc_completion_queue *queue;
    grpc_channel *nowhere; /* see rpc_poller_post() */
    pthread_t thread;
    bool started;
    bool queue_down;
    struct rpc_cork cork;
    int64_t tick_ms;
    void (*tick)(void *data);
    void *tick_data;
};

/* A call to nowhere. */
struct post {
    struct rpc_event done;
    const struct rpc_event *then;
    grpc_call *call;
    grpc_metadata_array trailing;
    grpc_slice details;
    grpc_status_code code;
};

struct status rpc_poller_new(struct ctx *cx, struct rpc_poller **ret_poller)
{
    struct rpc_poller *poller = heap_new(sizeof *poller);

    if (poller == NULL) {
        return status_fail(cx, REASON_INTERNAL, "no memory for the polling thread");
    }
    poller->queue = grpc_completion_queue_create_for_next(NULL);
    poller->nowhere =
        grpc_lame_client_channel_create("nowhere", GRPC_STATUS_UNAVAILABLE, "nowhere");
    *ret_poller = poller;
    return STATUS_OK;
}

void rpc_poller_free(struct rpc_poller *poller)
{
    if (poller == NULL) {
        return;
    }
    rpc_poller_stop(poller);
    grpc_channel_destroy(poller->nowhere);
    grpc_completion_queue_destroy(poller->queue);
    heap_free(poller);
}

grpc_completion_queue *rpc_poller_queue(struct rpc_poller *poller)
{
    return poller->queue;
}

void rpc_poller_answers(struct rpc_poller *poller, int fd)
{
    rpc_cork_answer(&poller->cork, fd);
}

static gpr_timespec next_tick(const struct rpc_poller *poller)
{
    return gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(poller->tick_ms, GPR_TIMESPAN));
}

/* The next event; a timeout when it is time for a tick. Answers are held back only as long as there
 * is one. */
static grpc_event next_event(struct rpc_poller *poller, gpr_timespec tick_at)
{
    if (rpc_cork_holds(&poller->cork)) {
        if (!rpc_cork_is_full(&poller->cork)) {
            const grpc_event event =
                grpc_completion_queue_next(poller->queue, gpr_inf_past(GPR_CLOCK_MONOTONIC), NULL);

            if (event.type != GRPC_QUEUE_TIMEOUT) {
                return event;
            }
        }
        rpc_cork_release(&poller->cork);
    }
    return grpc_completion_queue_next(poller->queue, tick_at, NULL);
}

static void *run(void *data)
{
    struct rpc_poller *poller = data;
    gpr_timespec tick_at = next_tick(poller);
    unsigned events = 0;

    for (;;) {
        const grpc_event event = next_event(poller, tick_at);

        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            return NULL;
        }
        if (event.type == GRPC_OP_COMPLETE) {
            const struct rpc_event *fired = event.tag;
            void (*fire)(void *owner, bool ok) =
                atomic_load_explicit(&fired->fire, memory_order_acquire);

            fire(fired->owner, event.success != 0);
            events++;
        }
        if (event.type == GRPC_QUEUE_TIMEOUT ||
            (events % EVENTS_PER_LOOK == 0 &&
             gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), tick_at) >= 0)) {
            poller->tick(poller->tick_data);
            tick_at = next_tick(poller);
        }
    }
}

struct status rpc_poller_start(
    struct ctx *cx,
    struct rpc_poller *poller,
    int64_t tick_ms,
    void (*tick)(void *data),
    void *data)
{
    sigset_t all;
    sigset_t before;
    int failed = 0;

    poller->tick_ms = tick_ms;
    poller->tick = tick;
    poller->tick_data = data;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&poller->thread, NULL, run, poller);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        return status_fail(cx, REASON_INTERNAL, "could not start the polling thread");
    }
    pthread_setname_np(poller->thread, "rpc-poller");
    poller->started = true;
    return STATUS_OK;
}

static void post_done(void *owner, bool ok)
{
    struct post *post = owner;
    const struct rpc_event *then = post->then;

    (void)ok;
    grpc_metadata_array_destroy(&post->trailing);
    grpc_slice_unref(post->details);
    grpc_call_unref(post->call);
    heap_free(post);
    then->fire(then->owner, true);
}

/* The public interface of the core cannot put an event into a queue, but a call on a channel that
 * leads nowhere completes at once, on the queue. */
bool rpc_poller_post(struct rpc_poller *poller, const struct rpc_event *event)
{
    struct post *post = heap_new(sizeof *post);
    grpc_op ops[2] = {0};

    if (post == NULL) {
        return false;
    }
    post->then = event;
    grpc_metadata_array_init(&post->trailing);
    post->call = grpc_channel_create_call(
        poller->nowhere,
        NULL,
        GRPC_PROPAGATE_DEFAULTS,
        poller->queue,
        grpc_slice_from_static_string("/nowhere/Post"),
        NULL,
        gpr_inf_future(GPR_CLOCK_MONOTONIC),
        NULL);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[1].data.recv_status_on_client.trailing_metadata = &post->trailing;
    ops[1].data.recv_status_on_client.status = &post->code;
    ops[1].data.recv_status_on_client.status_details = &post->details;
    rpc_event_init(&post->done, post_done, post);
    if (grpc_call_start_batch(post->call, ops, ARRAY_LEN(ops), &post->done, NULL) != GRPC_CALL_OK) {
        grpc_metadata_array_destroy(&post->trailing);
        grpc_call_unref(post->call);
        heap_free(post);
        return false;
    }
    return true;
}

static void drop_events(struct rpc_poller *poller)
{
    while (
        grpc_completion_queue_next(poller->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
        GRPC_QUEUE_SHUTDOWN) {
    }
}

void rpc_poller_stop(struct rpc_poller *poller)
{
    if (poller->queue_down) {
        return;
    }
    poller->queue_down = true;
    grpc_completion_queue_shutdown(poller->queue);
    if (poller->started) {
        pthread_join(poller->thread, NULL);
    } else {
        drop_events(poller);
    }
}
