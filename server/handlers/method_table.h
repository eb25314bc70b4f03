#pragma once

/* The index of the program: every RPC that is live, one row each. What the protos describe and no
 * row names answers METHOD_NOT_IMPLEMENTED. */

#include "rpc/rpc_method.h"

struct services;

struct rpc_method_table method_table(struct services *services);

/* For a generated list of what is live. */
const struct rpc_method *method_table_rows(size_t *ret_count);
