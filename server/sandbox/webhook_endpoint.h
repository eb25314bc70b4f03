#pragma once

/* Where events are delivered. An endpoint is for the events of its own account, or, with connect,
 * for those of all connected accounts; never for both. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/metadata.h"
#include "sandbox/object.h"

struct account;
struct render;
struct sim;

#define ENDPOINT_EVENTS_MAX 300

struct webhook_endpoint {
    struct object object;
    const char *url;
    const char *secret;
    const char *description;
    const char **events; /* the types wanted; "*" alone: all */
    size_t event_count;
    bool connect;
    bool enabled;
    bool secret_shown; /* the secret is told once, at creation */
    struct metadata metadata;
};

/* id and secret NULL: drawn. */
struct webhook_endpoint *webhook_endpoint_new(
    struct sim *sim, struct account *owner, const char *id, const char *url, const char *secret);

bool webhook_endpoint_wants(const struct webhook_endpoint *endpoint, const char *type);

void webhook_endpoint_render(struct render *render, const struct object *object);
