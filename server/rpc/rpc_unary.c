#include "rpc/rpc_unary.h"

#include <stddef.h>

#include "base/log.h"
#include "rpc/rpc_call.h"
#include "rpc/rpc_invoke.h"
#include "rpc/rpc_server_internal.h"

static struct status run(struct rpc_call *call, ProtobufCMessage **ret_response)
{
    TRY(rpc_call_prepare(call));
    return rpc_invoke_unary(
        &call->cx, call->entry->table, call->entry->method, call->request, ret_response);
}

static void run_on_worker(struct rpc_task *task, struct rpc_worker *worker)
{
    struct rpc_call *call = (struct rpc_call *)((char *)task - offsetof(struct rpc_call, task));
    ProtobufCMessage *response = NULL;
    struct status status;

    if (atomic_load(&call->canceller.gone)) { /* while it waited: nobody wants the answer */
        rpc_call_account(call, status_of(&call->cx, rpc_call_gone_reason(call)));
        rpc_call_unref(call);
        return;
    }
    call->cx.may_block = true;
    atomic_store(&call->canceller.wake_fd, worker->wake_fd);
    status = ctx_gone(&call->cx) ? status_of(&call->cx, rpc_call_gone_reason(call))
                                 : run(call, &response);
    atomic_store(&call->canceller.wake_fd, -1);
    if (status_reason(status) == REASON_WOULD_BLOCK) {
        status = status_fail(&call->cx, REASON_INTERNAL, "the method does not run on a worker");
    }
    rpc_call_ref(call); /* the core may finish the call before rpc_call_finish() returns */
    rpc_call_finish(call, status, response);
    rpc_call_unref(call);
}

static void hand_over(struct rpc_call *call, enum rpc_lane lane)
{
    struct rpc_workers *to = call->server->lanes[lane];

    call->lane = lane;
    call->task.run = run_on_worker;
    rpc_call_watch_close(call);
    if (!rpc_workers_put(to, &call->task)) {
        rpc_call_finish(call, rpc_workers_shed(&call->cx, to), NULL);
    }
}

static void run_inline(struct rpc_call *call)
{
    ProtobufCMessage *response = NULL;
    struct status status = run(call, &response);

    if (status_reason(status) == REASON_WOULD_BLOCK) {
        hand_over(call, RPC_LANE_DATABASE);
        return;
    }
    rpc_poller_answers(call->server->poller, call->peer.fd);
    rpc_call_finish(call, status, response);
}

void rpc_unary_received(struct rpc_call *call, bool ok)
{
    if (!ok) { /* the peer left, or the core refused the message and has said so */
        rpc_call_account(call, status_of(&call->cx, rpc_call_gone_reason(call)));
        rpc_call_unref(call);
        return;
    }
    if (call->message == NULL) {
        rpc_call_finish(
            call,
            status_fail(&call->cx, REASON_MESSAGE_MALFORMED, "the call has no message"),
            NULL);
        return;
    }
    if (call->lane == RPC_LANE_INLINE) {
        run_inline(call);
    } else {
        hand_over(call, call->lane);
    }
}
