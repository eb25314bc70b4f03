#pragma once

/* Reads the wire format of protobuf, field by field, without descriptors and without copies.
 * Belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum rpc_wire_type {
    RPC_WIRE_VARINT = 0,
    RPC_WIRE_FIXED64 = 1,
    RPC_WIRE_BYTES = 2,
    RPC_WIRE_GROUP_START = 3,
    RPC_WIRE_GROUP_END = 4,
    RPC_WIRE_FIXED32 = 5,
};

struct rpc_wire {
    const uint8_t *at;
    const uint8_t *end;
    bool malformed;
};

struct rpc_wire_field {
    uint32_t number;
    enum rpc_wire_type type;
    uint64_t value;   /* of the numeric types; of BYTES the length */
    struct str bytes; /* of BYTES: borrowed from the input */
};

/* False at the end, and at the first thing that is not well formed: then malformed is set. Groups,
 * field number 0, and lengths past the end are not well formed. */
bool rpc_wire_next(struct rpc_wire *wire, struct rpc_wire_field *ret_field);

static inline struct rpc_wire rpc_wire_of(struct str bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.ptr;

    return (struct rpc_wire){.at = at, .end = at + bytes.len};
}

/* Reads a varint of at most max_bytes bytes and moves *at behind it. False when it is longer or
 * cut. */
static inline bool
rpc_wire_varint(const uint8_t **at, const uint8_t *end, unsigned max_bytes, uint64_t *ret_value)
{
    const uint8_t *from = *at;
    uint64_t value = 0;

    if (from < end && *from < 0x80) { /* nearly always: numbers of fields and lengths are small */
        *ret_value = *from;
        *at = from + 1;
        return true;
    }
    for (unsigned i = 0; i < max_bytes && from + i < end; i++) {
        value |= (uint64_t)(from[i] & 0x7f) << (7 * i);
        if (from[i] < 0x80) {
            *ret_value = value;
            *at = from + i + 1;
            return true;
        }
    }
    return false;
}
