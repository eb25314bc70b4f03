#include "rpc/rpc_call_pool.h"

#include <stddef.h>

#include <grpc/byte_buffer.h>

#include "base/heap.h"
#include "rpc/rpc_call.h"

#define POOL_MAX 256

static void call_free(struct rpc_call *call)
{
    grpc_metadata_array_destroy(&call->metadata);
    grpc_byte_buffer_destroy(call->answer);
    heap_free(call);
}

static void keep(struct rpc_call_pool *pool, struct rpc_call *call)
{
    if (pool->kept_count == POOL_MAX) {
        call_free(call);
        return;
    }
    call->next = pool->kept;
    pool->kept = call;
    pool->kept_count++;
}

static void collect(struct rpc_call_pool *pool)
{
    struct rpc_call *call = atomic_load_explicit(&pool->returned, memory_order_relaxed);

    if (call == NULL) {
        return;
    }
    call = atomic_exchange(&pool->returned, NULL);
    while (call != NULL) {
        struct rpc_call *next = call->next;

        keep(pool, call);
        call = next;
    }
}

struct rpc_call *rpc_call_pool_get(struct rpc_call_pool *pool)
{
    struct rpc_call *call = NULL;

    collect(pool);
    call = pool->kept;
    if (call != NULL) {
        pool->kept = call->next;
        pool->kept_count--;
    }
    return call;
}

void rpc_call_pool_put(struct rpc_call_pool *pool, struct rpc_call *call)
{
    struct rpc_call *head = atomic_load_explicit(&pool->returned, memory_order_relaxed);

    do {
        call->next = head;
    } while (!atomic_compare_exchange_weak(&pool->returned, &head, call));
}

void rpc_call_pool_release(struct rpc_call_pool *pool)
{
    struct rpc_call *call = NULL;

    while ((call = rpc_call_pool_get(pool)) != NULL) {
        call_free(call);
    }
}
