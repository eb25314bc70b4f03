#pragma once

/* Calls that ended, for reuse: a call is 3 kB of memory that need not be zeroed whole each time.
 * Any thread puts, one thread gets. */

#include <stddef.h>

struct rpc_call;

struct rpc_call_pool {
    struct rpc_call *kept; /* the getting thread's */
    size_t kept_count;
    struct rpc_call *_Atomic returned;
};

/* NULL when there is none: the caller makes a new one. */
struct rpc_call *rpc_call_pool_get(struct rpc_call_pool *pool);
void rpc_call_pool_put(struct rpc_call_pool *pool, struct rpc_call *call);

/* Frees what is in it, when no other thread uses it any more. */
void rpc_call_pool_release(struct rpc_call_pool *pool);
