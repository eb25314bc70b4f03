#include "sandbox/webhook_endpoint_api.h"

#include <string.h>

#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/sim.h"
#include "sandbox/webhook_endpoint.h"

static const struct param create_params[] = {
    {"url", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"enabled_events[*]", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"connect", PARAM_BOOL, 0, NULL},
    {"description", PARAM_TEXT, PARAM_UNSET, NULL},
    {"api_version", PARAM_ENUM, 0, SIM_API_VERSION},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static const struct param update_params[] = {
    {"url", PARAM_TEXT, 0, NULL},
    {"enabled_events[*]", PARAM_TEXT, 0, NULL},
    {"description", PARAM_TEXT, PARAM_UNSET, NULL},
    {"disabled", PARAM_BOOL, 0, NULL},
    PARAMS_METADATA,
    PARAMS_EXPAND,
    PARAM_END,
};

static const struct param list_params[] = {PARAMS_LIST, PARAM_END};

static bool check(struct call *call)
{
    static const struct metadata none = {.count = 0};
    const char *url = call_text(call, "url");

    if (url != NULL && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        return call_fail(
            call, 400, "url_invalid", "url", "Invalid URL: An explicit scheme must be provided.");
    }
    if (form_len(&call->form, "enabled_events") > ENDPOINT_EVENTS_MAX) {
        return call_fail(call, 400, NULL, "enabled_events", "Too many event types.");
    }
    return metadata_check(call, &none, "metadata");
}

static void update(struct call *call, struct webhook_endpoint *endpoint)
{
    const size_t count = form_len(&call->form, "enabled_events");

    call_update_text(call, "url", &endpoint->url);
    call_update_text(call, "description", &endpoint->description);
    endpoint->enabled = !call_bool(call, "disabled", !endpoint->enabled);
    if (count > 0) {
        endpoint->event_count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        const char *type = form_getf(&call->form, "enabled_events[%zu]", i);

        if (type != NULL) {
            endpoint->events[endpoint->event_count++] = sim_text(call->sim, type);
        }
    }
    metadata_update(call, &endpoint->metadata, "metadata");
}

static bool endpoint_create(struct call *call)
{
    struct webhook_endpoint *endpoint = NULL;

    if (!check(call)) {
        return false;
    }
    endpoint = webhook_endpoint_new(
        call->sim, call->account, /* id= */ NULL, call_text(call, "url"), /* secret= */ NULL);
    endpoint->connect = call_bool(call, "connect", false);
    update(call, endpoint);
    call_reply(call, endpoint);
    endpoint->secret_shown = true;
    return true;
}

static bool endpoint_retrieve(struct call *call)
{
    struct webhook_endpoint *endpoint = NULL;

    return call_find_path(call, KIND_WEBHOOK_ENDPOINT, &endpoint) && call_reply(call, endpoint);
}

static bool endpoint_update(struct call *call)
{
    struct webhook_endpoint *endpoint = NULL;

    if (!call_find_path(call, KIND_WEBHOOK_ENDPOINT, &endpoint) || !check(call)) {
        return false;
    }
    update(call, endpoint);
    return call_reply(call, endpoint);
}

static bool endpoint_delete(struct call *call)
{
    struct webhook_endpoint *endpoint = NULL;

    if (!call_find_path(call, KIND_WEBHOOK_ENDPOINT, &endpoint)) {
        return false;
    }
    endpoint->object.deleted = true;
    return call_reply(call, endpoint);
}

static bool endpoint_list(struct call *call)
{
    return list_reply(call, KIND_WEBHOOK_ENDPOINT, NULL);
}

const struct endpoint webhook_endpoint_api[] = {
    {"POST", "/v1/webhook_endpoints", endpoint_create, create_params, KIND_WEBHOOK_ENDPOINT, 0},
    {"GET",
     "/v1/webhook_endpoints",
     endpoint_list,
     list_params,
     KIND_WEBHOOK_ENDPOINT,
     ENDPOINT_LIST},
    {"GET", "/v1/webhook_endpoints/{}", endpoint_retrieve, NULL, KIND_WEBHOOK_ENDPOINT, 0},
    {"POST", "/v1/webhook_endpoints/{}", endpoint_update, update_params, KIND_WEBHOOK_ENDPOINT, 0},
    {"DELETE", "/v1/webhook_endpoints/{}", endpoint_delete, NULL, KIND_WEBHOOK_ENDPOINT, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
