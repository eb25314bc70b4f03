#include "rpc/rpc_metadata.h"

static struct str text_of(const grpc_slice *slice)
{
    return (struct str){(const char *)GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
}

static void keep(struct str key, struct str name, struct str value, struct str *ret_value)
{
    if (ret_value->len == 0 && str_equal(key, name)) {
        *ret_value = value;
    }
}

struct rpc_metadata rpc_metadata_read(const grpc_metadata_array *array)
{
    struct rpc_metadata metadata = {STR(""), STR(""), STR("")};

    for (size_t i = 0; i < array->count; i++) {
        const struct str key = text_of(&array->metadata[i].key);
        const struct str value = text_of(&array->metadata[i].value);

        keep(key, STR("authorization"), value, &metadata.authorization);
        keep(key, STR("x-request-id"), value, &metadata.request_id);
        keep(key, STR("idempotency-key"), value, &metadata.idempotency_key);
    }
    return metadata;
}

bool rpc_metadata_is_token(struct str text, size_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') {
            return false;
        }
    }
    return text.len > 0 && text.len <= max;
}
