#pragma once

/* The metadata that we read from a call. */

#include <stdbool.h>
#include <stddef.h>

#include <grpc/grpc.h>

#include "base/str.h"

#define RPC_REQUEST_ID_SIZE 72 /* with the NUL; longer ones of callers are replaced by ours */
#define RPC_IDEMPOTENCY_KEY_MAX 255

/* Borrowed from the metadata of the call; empty when absent. Of repeated entries the first counts.
 */
struct rpc_metadata {
    struct str authorization;
    struct str request_id;
    struct str idempotency_key;
};

struct rpc_metadata rpc_metadata_read(const grpc_metadata_array *array);

/* Printable ASCII without spaces, and not longer than max. */
bool rpc_metadata_is_token(struct str text, size_t max);
