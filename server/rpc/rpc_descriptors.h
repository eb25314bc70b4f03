#pragma once

/* The embedded google.protobuf.FileDescriptorSet, indexed: which file defines a symbol, what a file
 * imports, what a method takes and gives. Files are kept as they were compiled, comments included,
 * and handed out without a copy. Written once, then read by any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct ctx;
struct rpc_descriptors;

struct rpc_file {
    struct str bytes;                /* the serialized FileDescriptorProto */
    struct str name;                 /* "billingos/v1/common.proto" */
    struct str package;              /* "billingos.v1" */
    const struct rpc_file **imports; /* those that are in the set */
    size_t import_count;
};

struct rpc_method_shape {
    const char *path;    /* "/billingos.v1.CustomerService/GetCustomer" */
    const char *service; /* "billingos.v1.CustomerService" */
    const char *name;    /* "GetCustomer" */
    struct str input;    /* "billingos.v1.GetCustomerRequest" */
    struct str output;
    bool client_streaming;
    bool server_streaming;
};

/* set is borrowed and must outlive the index. Fails with INTERNAL when it is not a descriptor set.
 * Owned by the caller, free with rpc_descriptors_free(). */
struct status rpc_descriptors_new(
    struct ctx *cx, struct str set, struct rpc_descriptors **ret_descriptors) MUST_CHECK;
void rpc_descriptors_free(struct rpc_descriptors *descriptors);

/* NULL when there is none. */
const struct rpc_file *
rpc_descriptors_file(const struct rpc_descriptors *descriptors, struct str name);

/* The file that defines a service, method, message, enum, enum value, field or oneof by its full
 * name. NULL when there is none. */
const struct rpc_file *
rpc_descriptors_symbol(const struct rpc_descriptors *descriptors, struct str name);

/* In the order of the set. */
size_t rpc_descriptors_file_count(const struct rpc_descriptors *descriptors);
size_t rpc_descriptors_service_count(const struct rpc_descriptors *descriptors);
const char *rpc_descriptors_service(const struct rpc_descriptors *descriptors, size_t index);
size_t rpc_descriptors_method_count(const struct rpc_descriptors *descriptors);
const struct rpc_method_shape *
rpc_descriptors_method(const struct rpc_descriptors *descriptors, size_t index);
/* A number from 0 to file_count - 1, for marking files as visited. */
size_t
rpc_descriptors_file_index(const struct rpc_descriptors *descriptors, const struct rpc_file *file);
