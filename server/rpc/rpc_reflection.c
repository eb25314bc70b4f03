#include "rpc/rpc_reflection.h"

#include <stdbool.h>
#include <string.h>

#include "base/ctx.h"
#include "base/str.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "rpc/rpc_descriptors.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;

static void
answer_error(struct ctx *cx, reflection_response *response, enum code code, const char *message)
{
    Grpc__Reflection__V1__ErrorResponse *error =
        ARENA_NEW(cx->arena, Grpc__Reflection__V1__ErrorResponse);

    grpc__reflection__v1__error_response__init(error);
    error->error_code = (int32_t)code;
    error->error_message = (char *)message;
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response->error_response = error;
}

/* The file and all that it imports, each once, the file first. */
static void answer_file(
    struct ctx *cx,
    const struct rpc_descriptors *descriptors,
    const struct rpc_file *file,
    reflection_response *response)
{
    const size_t max = rpc_descriptors_file_count(descriptors);
    Grpc__Reflection__V1__FileDescriptorResponse *files =
        ARENA_NEW(cx->arena, Grpc__Reflection__V1__FileDescriptorResponse);
    ProtobufCBinaryData *bytes = arena_try_alloc(cx->arena, max * sizeof *bytes);
    const struct rpc_file **found = arena_try_alloc(cx->arena, max * sizeof(void *));
    bool *seen = arena_try_alloc(cx->arena, max * sizeof *seen);
    size_t count = 0;

    if (file == NULL || bytes == NULL || found == NULL || seen == NULL) {
        answer_error(cx, response, CODE_NOT_FOUND, "not found");
        return;
    }
    grpc__reflection__v1__file_descriptor_response__init(files);
    found[count++] = file;
    seen[rpc_descriptors_file_index(descriptors, file)] = true;
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (ProtobufCBinaryData){found[i]->bytes.len, (uint8_t *)found[i]->bytes.ptr};
        for (size_t k = 0; k < found[i]->import_count; k++) {
            const size_t at = rpc_descriptors_file_index(descriptors, found[i]->imports[k]);

            if (!seen[at]) {
                seen[at] = true;
                found[count++] = found[i]->imports[k];
            }
        }
    }
    files->n_file_descriptor_proto = count;
    files->file_descriptor_proto = bytes;
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response->file_descriptor_response = files;
}

static void answer_services(
    struct ctx *cx, const struct rpc_descriptors *descriptors, reflection_response *response)
{
    const size_t count = rpc_descriptors_service_count(descriptors);
    Grpc__Reflection__V1__ListServiceResponse *list =
        ARENA_NEW(cx->arena, Grpc__Reflection__V1__ListServiceResponse);
    Grpc__Reflection__V1__ServiceResponse *services =
        arena_try_alloc(cx->arena, count * sizeof *services);
    Grpc__Reflection__V1__ServiceResponse **pointers =
        arena_try_alloc(cx->arena, count * sizeof(void *));

    if (services == NULL || pointers == NULL) {
        answer_error(cx, response, CODE_RESOURCE_EXHAUSTED, "too many services");
        return;
    }
    grpc__reflection__v1__list_service_response__init(list);
    for (size_t i = 0; i < count; i++) {
        grpc__reflection__v1__service_response__init(&services[i]);
        services[i].name = (char *)rpc_descriptors_service(descriptors, i);
        pointers[i] = &services[i];
    }
    list->n_service = count;
    list->service = pointers;
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response->list_services_response = list;
}

static void answer_extensions(
    struct ctx *cx,
    const struct rpc_descriptors *descriptors,
    const char *type,
    reflection_response *response)
{
    Grpc__Reflection__V1__ExtensionNumberResponse *numbers =
        ARENA_NEW(cx->arena, Grpc__Reflection__V1__ExtensionNumberResponse);

    if (rpc_descriptors_symbol(descriptors, str_of(type)) == NULL) {
        answer_error(cx, response, CODE_NOT_FOUND, "not found");
        return;
    }
    grpc__reflection__v1__extension_number_response__init(numbers);
    numbers->base_type_name = (char *)type;
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    response->all_extension_numbers_response = numbers;
}

static struct status begin(struct ctx *cx, void *services, void **ret_state)
{
    (void)cx;
    *ret_state = services;
    return STATUS_OK;
}

static struct status
message(struct ctx *cx, void *state, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const struct rpc_descriptors *descriptors = state;
    const reflection_request *request = (const reflection_request *)req;
    reflection_response *response = ARENA_NEW(cx->arena, reflection_response);

    grpc__reflection__v1__server_reflection_response__init(response);
    response->valid_host = request->host;
    response->original_request = (reflection_request *)request;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        answer_file(
            cx,
            descriptors,
            rpc_descriptors_file(descriptors, str_of(request->file_by_filename)),
            response);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        answer_file(
            cx,
            descriptors,
            rpc_descriptors_symbol(descriptors, str_of(request->file_containing_symbol)),
            response);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        answer_services(cx, descriptors, response);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        answer_extensions(cx, descriptors, request->all_extension_numbers_of_type, response);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
        answer_error(cx, response, CODE_NOT_FOUND, "not found");
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET:
    default: /* the generator adds a value of its own */
        answer_error(cx, response, CODE_INVALID_ARGUMENT, "nothing is asked");
        break;
    }
    *ret_response = &response->base;
    return STATUS_OK;
}

static struct status finish(struct ctx *cx, void *state, ProtobufCMessage **ret_response)
{
    (void)cx;
    (void)state;
    *ret_response = NULL;
    return STATUS_OK;
}

static void give_up(void *state)
{
    (void)state;
}

struct rpc_method_table rpc_reflection_table(const struct rpc_descriptors *descriptors)
{
    static const struct rpc_inflow inflow = {begin, message, finish, give_up};
    static const struct rpc_method methods[] = {
        {
            .path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            .input = &grpc__reflection__v1__server_reflection_request__descriptor,
            .output = &grpc__reflection__v1__server_reflection_response__descriptor,
            .inflow = &inflow,
            .lane = RPC_LANE_INLINE,
            .scope = RPC_SCOPE_PUBLIC,
            .repeat = RPC_REPEAT_READ,
            .request_bytes_max = 4096,
        },
        {
            .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            .input = &grpc__reflection__v1__server_reflection_request__descriptor,
            .output = &grpc__reflection__v1__server_reflection_response__descriptor,
            .inflow = &inflow,
            .lane = RPC_LANE_INLINE,
            .scope = RPC_SCOPE_PUBLIC,
            .repeat = RPC_REPEAT_READ,
            .request_bytes_max = 4096,
        },
    };

    return (struct rpc_method_table){
        .methods = methods,
        .count = ARRAY_LEN(methods),
        .services = (void *)descriptors,
    };
}
