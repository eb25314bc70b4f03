#include "sandbox/event_api.h"

#include <string.h>

#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/sim.h"

/* Events can be listed for 30 days, and at most 20 types can be asked for. */
#define KEPT_S (INT64_C(30) * 86400)
#define TYPES_MAX 20

static const struct param list_params[] = {
    {"type", PARAM_TEXT, 0, NULL},
    {"types[*]", PARAM_TEXT, 0, NULL},
    {"delivery_success", PARAM_BOOL, 0, NULL},
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

/* "customer.*" is every type that begins so. */
static bool type_matches(const char *pattern, const char *type)
{
    const char *star = strchr(pattern, '*');

    return star == NULL ? strcmp(pattern, type) == 0
                        : strncmp(pattern, type, (size_t)(star - pattern)) == 0;
}

static bool match(const struct call *call, const struct object *object)
{
    const struct event *event = (const struct event *)object;
    const char *type = call_text(call, "type");
    const size_t types = form_len(&call->form, "types");
    bool named = types == 0;

    for (size_t i = 0; i < types; i++) {
        const char *one = form_getf(&call->form, "types[%zu]", i);

        named = named || (one != NULL && type_matches(one, event->type));
    }
    return named && (type == NULL || type_matches(type, event->type)) &&
           event->made_s > call->sim->now_s - KEPT_S &&
           list_bool_matches(call, "delivery_success", event->pending == 0) &&
           list_time_matches(call, "created", object->created_s);
}

static bool event_list(struct call *call)
{
    if (form_len(&call->form, "types") > TYPES_MAX) {
        return call_fail(call, 400, NULL, "types", "You may pass up to %d event types.", TYPES_MAX);
    }
    return list_reply(call, KIND_EVENT, match);
}

static bool event_retrieve(struct call *call)
{
    struct event *event = NULL;

    return call_find_path(call, KIND_EVENT, &event) && call_reply(call, event);
}

const struct endpoint event_api[] = {
    {"GET", "/v1/events", event_list, list_params, KIND_EVENT, ENDPOINT_LIST},
    {"GET", "/v1/events/{}", event_retrieve, NULL, KIND_EVENT, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
