/* Any bytes as a message: whatever rpc_scan() lets through is unpacked, packed and unpacked again.
 * The first byte picks the type. */

#include "rpc/rpc_scan.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/ctx.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = {
    &google__rpc__status__descriptor,     /* messages inside messages, any bytes */
    &google__rpc__error_info__descriptor, /* a map */
    &google__rpc__bad_request__descriptor,
    &grpc__reflection__v1__server_reflection_request__descriptor,  /* a oneof of texts */
    &grpc__reflection__v1__server_reflection_response__descriptor, /* a oneof of messages, packed */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rpc_scan_limits limits = {
        .depth_max = RPC_SCAN_DEPTH_MAX, .fields_max = 1000, .memory_max = 256 * 1024};
    const ProtobufCMessageDescriptor *type = NULL;
    ProtobufCMessage *message = NULL;
    struct arena arena;
    struct ctx cx;

    if (size == 0) {
        return 0;
    }
    type = types[data[0] % ARRAY_LEN(types)];
    arena_init(&arena, NULL, 0, (size_t)1024 * 1024);
    ctx_init(&cx, &arena, "fuzz");
    if (rpc_scan_unpack(&cx, type, data + 1, size - 1, &limits, &message).code == CODE_OK) {
        const size_t len = protobuf_c_message_get_packed_size(message);
        uint8_t *packed = arena_try_alloc(&arena, len + 1);

        if (packed != NULL) {
            ProtobufCMessage *again = NULL;

            assert(protobuf_c_message_pack(message, packed) == len);
            assert(protobuf_c_message_check(message));
            /* Packed maps and repeated fields may need a little more than they came with. */
            (void)rpc_scan_unpack(&cx, type, packed, len, &limits, &again).code;
        }
    }
    arena_release(&arena);
    return 0;
}
