#include "rpc/rpc_call_list.h"

#include "rpc/rpc_call.h"

void rpc_call_list_add(struct rpc_call_list *list, struct rpc_call *call)
{
    call->listed = true;
    call->listed_after = list->last;
    call->listed_before = NULL;
    if (list->last != NULL) {
        list->last->listed_before = call;
    } else {
        list->first = call;
    }
    list->last = call;
}

void rpc_call_list_remove(struct rpc_call_list *list, struct rpc_call *call)
{
    if (!call->listed) {
        return;
    }
    call->listed = false;
    if (call->listed_after != NULL) {
        call->listed_after->listed_before = call->listed_before;
    } else {
        list->first = call->listed_before;
    }
    if (call->listed_before != NULL) {
        call->listed_before->listed_after = call->listed_after;
    } else {
        list->last = call->listed_after;
    }
}
