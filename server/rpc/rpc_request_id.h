#pragma once

/* The x-request-id of calls that bring none: "req_" and 19 letters of base32 that sort by time.
 * They are counted up like an odometer instead of drawn, and short enough to travel inside a
 * grpc_slice (23 bytes): every call pays for this. Belongs to one thread. */

#include <stdint.h>

#define RPC_REQUEST_ID_LEN 23

struct rpc_request_ids {
    char next[RPC_REQUEST_ID_LEN + 1];
};

/* Ids of this process from now on; called again from time to time, it brings the time part up to
 * date and goes on counting. */
void rpc_request_ids_init(struct rpc_request_ids *ids, int64_t now_us);
void rpc_request_ids_refresh(struct rpc_request_ids *ids, int64_t now_us);

void rpc_request_ids_next(struct rpc_request_ids *ids, char ret_text[RPC_REQUEST_ID_LEN + 1]);
