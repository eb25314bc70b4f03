#include "rpc/rpc_wire.h"

#include <string.h>

#define TAG_BYTES_MAX 5
#define VARINT_BYTES_MAX 10

static bool next_number(struct rpc_wire *wire, size_t size, uint64_t *ret_value)
{
    if ((size_t)(wire->end - wire->at) < size) {
        return false;
    }
    *ret_value = 0;
    memcpy(ret_value, wire->at, size); /* the wire is little-endian, as we are */
    wire->at += size;
    return true;
}

static bool next_value(struct rpc_wire *wire, struct rpc_wire_field *field)
{
    switch (field->type) {
    case RPC_WIRE_VARINT:
        return rpc_wire_varint(&wire->at, wire->end, VARINT_BYTES_MAX, &field->value);
    case RPC_WIRE_FIXED64:
        return next_number(wire, sizeof(uint64_t), &field->value);
    case RPC_WIRE_FIXED32:
        return next_number(wire, sizeof(uint32_t), &field->value);
    case RPC_WIRE_BYTES:
        if (!rpc_wire_varint(&wire->at, wire->end, VARINT_BYTES_MAX, &field->value) ||
            field->value > (uint64_t)(wire->end - wire->at)) {
            return false;
        }
        field->bytes = (struct str){(const char *)wire->at, (size_t)field->value};
        wire->at += field->value;
        return true;
    case RPC_WIRE_GROUP_START:
    case RPC_WIRE_GROUP_END:
        return false;
    }
    return false;
}

bool rpc_wire_next(struct rpc_wire *wire, struct rpc_wire_field *ret_field)
{
    uint64_t tag = 0;

    if (wire->malformed || wire->at == wire->end) {
        return false;
    }
    *ret_field = (struct rpc_wire_field){.number = 0};
    if (!rpc_wire_varint(&wire->at, wire->end, TAG_BYTES_MAX, &tag) || tag > UINT32_MAX) {
        wire->malformed = true;
        return false;
    }
    ret_field->number = (uint32_t)(tag >> 3);
    ret_field->type = (enum rpc_wire_type)(tag & 7);
    if (ret_field->number == 0 || !next_value(wire, ret_field)) {
        wire->malformed = true;
        return false;
    }
    return true;
}
