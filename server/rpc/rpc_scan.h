#pragma once

/* The only way from bytes to a message. protobuf-c 1.4 has no limit on depth (16,000 levels
 * overflow its stack), blows small inputs up (4 MiB of empty messages become 300 MB), takes bad
 * UTF-8, and reads "a\0b" as "a". So the bytes are first walked here with the descriptor, without
 * recursion and without memory, and only what passes is unpacked. Belongs to one thread. */

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/status.h"

struct ctx;

#define RPC_SCAN_DEPTH_MAX 8
#define RPC_SCAN_FIELDS_MAX 10000

struct rpc_scan_limits {
    uint32_t depth_max;  /* at most RPC_SCAN_DEPTH_MAX; the message itself is 1 */
    uint32_t fields_max; /* of all levels together */
    size_t memory_max;   /* estimate of what unpacking would take */
};

struct rpc_scan_cost {
    size_t fields;
    size_t memory_bytes;
};

/* Only looks. Fails with
 * MESSAGE_MALFORMED: cut, groups, field number 0, a wire type that the field does not have, too
 * deep, text that is not UTF-8 or holds a NUL (with the path of the field); REQUEST_TOO_COSTLY:
 * more fields or memory than the limits allow. */
struct status rpc_scan(
    struct ctx *cx,
    const ProtobufCMessageDescriptor *type,
    const uint8_t *bytes,
    size_t len,
    const struct rpc_scan_limits *limits,
    struct rpc_scan_cost *ret_cost) MUST_CHECK;

/* rpc_scan(), then unpacks into the arena of cx; bytes are no longer needed afterwards. */
struct status rpc_scan_unpack(
    struct ctx *cx,
    const ProtobufCMessageDescriptor *type,
    const uint8_t *bytes,
    size_t len,
    const struct rpc_scan_limits *limits,
    ProtobufCMessage **ret_message) MUST_CHECK;
