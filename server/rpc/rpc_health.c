#include "rpc/rpc_health.h"

#include <stdatomic.h>
#include <string.h>

#include "base/ctx.h"
#include "base/hash.h"
#include "base/heap.h"
#include "grpc/health/v1/health.pb-c.h"
#include "rpc/rpc_descriptors.h"

struct service {
    const char *name;
    _Atomic bool serving;
};

struct rpc_health {
    struct hash *by_name;
    size_t count;
    struct service services[];
};

/* An open Watch. The runtime steps all of them when a state changes. */
struct watch {
    struct rpc_source source;
    const struct service *service; /* NULL: nobody knows it */
    bool told;
    bool told_serving;
};

typedef Grpc__Health__V1__HealthCheckRequest check_request;
typedef Grpc__Health__V1__HealthCheckResponse check_response;

struct status rpc_health_new(
    struct ctx *cx, const struct rpc_descriptors *descriptors, struct rpc_health **ret_health)
{
    const size_t count = rpc_descriptors_service_count(descriptors) + 1;
    struct rpc_health *health = heap_new(sizeof *health + count * sizeof health->services[0]);

    if (health != NULL) {
        health->by_name = hash_new(count);
    }
    if (health == NULL || health->by_name == NULL) {
        heap_free(health);
        return status_fail(cx, REASON_INTERNAL, "no memory for the health of the services");
    }
    for (size_t i = 0; i < count; i++) {
        struct service *service = &health->services[health->count++];

        service->name = i == 0 ? "" : rpc_descriptors_service(descriptors, i - 1);
        if (!hash_put(health->by_name, service->name, strlen(service->name), service, NULL)) {
            rpc_health_free(health);
            return status_fail(cx, REASON_INTERNAL, "a service stands twice in the descriptor set");
        }
    }
    *ret_health = health;
    return STATUS_OK;
}

void rpc_health_free(struct rpc_health *health)
{
    if (health != NULL) {
        hash_free(health->by_name);
        heap_free(health);
    }
}

bool rpc_health_set(struct rpc_health *health, const char *service, bool serving)
{
    struct service *one = hash_get(health->by_name, service, strlen(service));
    bool changed = false;

    if (*service != '\0') {
        return one != NULL && atomic_exchange(&one->serving, serving) != serving;
    }
    for (size_t i = 0; i < health->count; i++) {
        changed = atomic_exchange(&health->services[i].serving, serving) != serving || changed;
    }
    return changed;
}

static check_response *answer(struct ctx *cx, const struct service *service)
{
    check_response *response = ARENA_NEW(cx->arena, check_response);

    grpc__health__v1__health_check_response__init(response);
    if (service == NULL) {
        response->status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    } else if (atomic_load(&service->serving)) {
        response->status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    } else {
        response->status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    }
    return response;
}

static struct status
check(struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const struct rpc_health *health = services;
    const check_request *request = (const check_request *)req;
    const struct service *service =
        hash_get(health->by_name, request->service, strlen(request->service));

    if (service == NULL) {
        return status_pair(
            cx,
            status_fail(
                cx, REASON_SERVICE_UNKNOWN, "service \"%s\" does not exist", request->service),
            "service",
            request->service);
    }
    *ret_response = &answer(cx, service)->base;
    return STATUS_OK;
}

static enum rpc_next watch_next(
    struct rpc_source *source,
    struct ctx *cx,
    ProtobufCMessage **ret_message,
    struct status *ret_status)
{
    struct watch *watch = (struct watch *)source;
    check_response *response = answer(cx, watch->service);
    const bool serving =
        response->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;

    (void)ret_status;
    if (watch->told && watch->told_serving == serving) {
        return RPC_NEXT_PENDING;
    }
    watch->told = true;
    watch->told_serving = serving;
    *ret_message = &response->base;
    return RPC_NEXT_READY;
}

static void watch_close(struct rpc_source *source)
{
    heap_free(source);
}

static struct status watch_open(
    struct ctx *cx,
    void *services,
    const ProtobufCMessage *req,
    struct rpc_waker *waker,
    struct rpc_source **ret_source)
{
    const struct rpc_health *health = services;
    const char *name = ((const check_request *)req)->service;
    struct watch *watch = heap_new(sizeof *watch);

    (void)waker;
    if (watch == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    watch->source = (struct rpc_source){watch_next, watch_close};
    watch->service = hash_get(health->by_name, name, strlen(name));
    *ret_source = &watch->source;
    return STATUS_OK;
}

struct rpc_method_table rpc_health_table(struct rpc_health *health)
{
    static const struct rpc_method methods[] = {
        {
            .path = "/grpc.health.v1.Health/Check",
            .input = &grpc__health__v1__health_check_request__descriptor,
            .output = &grpc__health__v1__health_check_response__descriptor,
            .unary = check,
            .lane = RPC_LANE_INLINE,
            .scope = RPC_SCOPE_PUBLIC,
            .repeat = RPC_REPEAT_READ,
        },
        {
            .path = RPC_HEALTH_WATCH,
            .input = &grpc__health__v1__health_check_request__descriptor,
            .output = &grpc__health__v1__health_check_response__descriptor,
            .open = watch_open,
            .lane = RPC_LANE_INLINE,
            .scope = RPC_SCOPE_PUBLIC,
            .repeat = RPC_REPEAT_READ,
        },
    };

    return (struct rpc_method_table){
        .methods = methods,
        .count = ARRAY_LEN(methods),
        .services = health,
    };
}
