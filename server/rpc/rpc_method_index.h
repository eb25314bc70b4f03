#pragma once

/* From the path of a call to what answers it. Built once from the method tables and the descriptor
 * set, which must agree. The entries are read by any thread, the searches belong to one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "rpc/rpc_method.h"
#include "rpc/rpc_metrics.h"

struct ctx;
struct rpc_descriptors;
struct rpc_method_index;

enum rpc_shape {
    RPC_SHAPE_NONE,   /* no function: the method is not implemented, or nobody knows it */
    RPC_SHAPE_UNARY,  /* one message, one answer */
    RPC_SHAPE_SOURCE, /* one message, many answers */
    RPC_SHAPE_INFLOW, /* many messages */
};

struct rpc_entry {
    const struct rpc_method *method;      /* NULL with SHAPE_NONE */
    const struct rpc_method_table *table; /* of the method */
    enum rpc_shape shape;
    enum reason refusal; /* with SHAPE_NONE */
    struct str path;     /* as clients send it; of the unknown method "" */
    const char *name;    /* "billingos.v1.CustomerService/GetCustomer", for logs */
    struct rpc_metrics metrics;
};

/* Several tables: ours and those of the runtime itself. A row of the first that is not in the
 * descriptor set, or has other types or another shape there, fails with INTERNAL; so does a path
 * that two rows name. Rows of later tables are checked when the set knows them.
 * tables and descriptors are borrowed. Owned by the caller, free with rpc_method_index_free(). */
struct status rpc_method_index_new(
    struct ctx *cx,
    const struct rpc_method_table *const *tables,
    size_t table_count,
    const struct rpc_descriptors *descriptors,
    struct rpc_method_index **ret_index) MUST_CHECK;
void rpc_method_index_free(struct rpc_method_index *index);

/* Never NULL: for a path that nobody knows it is the one entry that says so. */
struct rpc_entry *rpc_method_index_find(struct rpc_method_index *index, struct str path);

/* The largest request that any method accepts. */
uint32_t rpc_method_index_request_bytes_max(
    const struct rpc_method_index *index, uint32_t request_bytes_default);
