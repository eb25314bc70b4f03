#pragma once

/* Server reflection, v1 and v1alpha, which are the same on the wire: tools see the services, and
 * read their .proto files with all comments, without having them. */

#include "rpc/rpc_method.h"

struct rpc_descriptors;

/* The rows of both versions. descriptors is borrowed. */
struct rpc_method_table rpc_reflection_table(const struct rpc_descriptors *descriptors);
