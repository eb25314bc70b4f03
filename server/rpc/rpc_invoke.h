#pragma once

/* The steps that every call goes through whatever door it came by: authorise, check and unpack,
 * run. On the thread of the caller. */

#include <stddef.h>
#include <stdint.h>

#include "rpc/rpc_method.h"

#define RPC_REQUEST_BYTES_MAX (256 * 1024) /* of methods that name no maximum of their own */

/* Fills cx->caller. Fails as the table's authorize() does. */
struct status rpc_invoke_authorize(
    struct ctx *cx,
    const struct rpc_method_table *table,
    const struct rpc_method *method,
    const char *authorization) MUST_CHECK;

/* MESSAGE_TOO_LARGE when a message of this size is more than the method accepts. */
struct status rpc_invoke_check_size(
    struct ctx *cx, const struct rpc_method *method, uint32_t bytes_max_default, size_t len)
    MUST_CHECK;

/* Scans the bytes and unpacks them into the arena of cx. Fails as rpc_scan_unpack() does. */
struct status rpc_invoke_unpack(
    struct ctx *cx,
    const struct rpc_method *method,
    const uint8_t *bytes,
    size_t len,
    ProtobufCMessage **ret_request) MUST_CHECK;

/* Runs the function of a unary method. Fails as it does, with REQUEST_TOO_COSTLY when it ran out of
 * the memory of the call, or with INTERNAL when it gave no answer. */
struct status rpc_invoke_unary(
    struct ctx *cx,
    const struct rpc_method_table *table,
    const struct rpc_method *method,
    const ProtobufCMessage *request,
    ProtobufCMessage **ret_response) MUST_CHECK;

/* Turns a success into REQUEST_TOO_COSTLY when the arena of cx has failed meanwhile. */
struct status rpc_invoke_settle(struct ctx *cx, struct status status) MUST_CHECK;
