#include "services/operations.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "services/services.h"

/* No caller uses one id for more methods than this by accident. */
#define METHODS_MAX 16

/* "billingos.v1.SubscriptionService/CreateSubscription" -> "CreateSubscription". */
static const char *short_name(const char *method)
{
    const char *slash = strrchr(method, '/');

    return slash == NULL ? method : slash + 1;
}

static struct status not_found(struct ctx *cx, const char *name, const char *value)
{
    return status_pair(
        cx,
        status_fail(cx, REASON_OPERATION_NOT_FOUND, "no operation has the %s \"%s\"", name, value),
        name,
        value);
}

static struct status
ambiguous(struct ctx *cx, const char *request_id, const struct intent *intents, size_t count)
{
    const char *methods = "";
    struct status status = status_fail(
        cx,
        REASON_OPERATION_AMBIGUOUS,
        "request_id \"%s\" was used with several methods: say which",
        request_id);

    for (size_t i = 0; i < count; i++) {
        methods = arena_printf(
            cx->arena, "%s%s%s", methods, i == 0 ? "" : ",", short_name(intents[i].method));
    }
    status = status_pair(cx, status, "request_id", request_id);
    return status_pair(cx, status, "methods", methods);
}

struct status operations_find(
    struct ctx *cx,
    struct services *services,
    const char *request_id,
    const char *method,
    struct intent *ret_intent)
{
    struct intent intents[METHODS_MAX];
    size_t count = 0;

    TRY(intent_store_of_request(cx, services->db, request_id, METHODS_MAX, intents, &count));
    if (method[0] == '\0' && count > 1) {
        return ambiguous(cx, request_id, intents, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (method[0] == '\0' || strcmp(short_name(intents[i].method), method) == 0) {
            *ret_intent = intents[i];
            return STATUS_OK;
        }
    }
    return not_found(cx, "request_id", request_id);
}

struct status operations_get(
    struct ctx *cx,
    struct services *services,
    const struct id *operation_id,
    struct intent *ret_intent)
{
    const struct status status = intent_store_get(cx, services->db, operation_id, ret_intent);

    if (status_reason(status) == REASON_OPERATION_NOT_FOUND) {
        return not_found(cx, "operation_id", id_text(cx->arena, ID_OPERATION, operation_id));
    }
    return status;
}
