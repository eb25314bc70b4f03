#pragma once

/* A list of calls in the order of arrival. Belongs to the polling thread; a call is in one at most.
 */

#include <stddef.h>

struct rpc_call;

struct rpc_call_list {
    struct rpc_call *first;
    struct rpc_call *last;
};

void rpc_call_list_add(struct rpc_call_list *list, struct rpc_call *call);

/* No effect on a call that is in no list. */
void rpc_call_list_remove(struct rpc_call_list *list, struct rpc_call *call);
