#include "sandbox/webhook_endpoint.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

struct webhook_endpoint *webhook_endpoint_new(
    struct sim *sim, struct account *owner, const char *id, const char *url, const char *secret)
{
    struct webhook_endpoint *endpoint =
        object_new(sim, owner, KIND_WEBHOOK_ENDPOINT, sizeof *endpoint, id);

    endpoint->url = sim_text(sim, url);
    endpoint->secret = secret == NULL ? sim_draw_id(sim, "whsec_") : sim_text(sim, secret);
    endpoint->events = sim_alloc(sim, ENDPOINT_EVENTS_MAX * sizeof *endpoint->events);
    endpoint->events[0] = "*";
    endpoint->event_count = 1;
    endpoint->enabled = true;
    return endpoint;
}

bool webhook_endpoint_wants(const struct webhook_endpoint *endpoint, const char *type)
{
    for (size_t i = 0; endpoint->enabled && i < endpoint->event_count; i++) {
        if (strcmp(endpoint->events[i], "*") == 0 || strcmp(endpoint->events[i], type) == 0) {
            return true;
        }
    }
    return false;
}

void webhook_endpoint_render(struct render *render, const struct object *object)
{
    const struct webhook_endpoint *endpoint = (const struct webhook_endpoint *)object;
    struct json_writer *w = &render->writer;

    json_put_text(w, "api_version", SIM_API_VERSION);
    render_nulls(render, "application");
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "description", endpoint->description);
    json_open_array(w, "enabled_events");
    for (size_t i = 0; i < endpoint->event_count; i++) {
        json_put_text(w, NULL, endpoint->events[i]);
    }
    json_close_array(w);
    json_put_bool(w, "livemode", false);
    metadata_render(render, "metadata", &endpoint->metadata);
    if (!endpoint->secret_shown) {
        json_put_text(w, "secret", endpoint->secret);
    }
    json_put_text(w, "status", endpoint->enabled ? "enabled" : "disabled");
    json_put_text(w, "url", endpoint->url);
}
