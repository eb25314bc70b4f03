#pragma once

/* What happened, told once and kept: an event holds the object as it was at that moment and is
 * delivered to the endpoints that want it. It can be listed even when it was never delivered. */

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/object.h"

struct account;
struct render;
struct sim;

struct event {
    struct object object;
    const char *type;
    const char *data;        /* the "data" member as JSON, rendered once */
    const char *request_id;  /* NULL: the simulator acted by itself */
    const char *request_key; /* NULL: none */
    int64_t made_s;          /* by the global clock, whatever clock created_s is of */
    int64_t pending;         /* endpoints that have not got it yet */
    bool connected;          /* of a connected account, which is named */
};

/* The object as it is now, to be compared later; in the arena of the request. */
const char *event_snapshot(struct sim *sim, const void *object);

/* Makes the event and sends it out. With a snapshot from before, what has changed goes into
 * previous_attributes, and nothing happens when nothing has changed. */
void event_emit(struct sim *sim, const char *type, const void *thing, const char *before);

/* account.application.deauthorized; its object is the application of the platform. */
void event_emit_deauthorized(struct sim *sim, struct account *account);

/* The whole event as it is delivered; in the arena of the request. */
const char *event_text(struct sim *sim, const struct event *event);

/* Delivers an event once more; how many endpoints get it. */
int64_t event_resend(struct sim *sim, struct event *event);

void event_render(struct render *render, const struct object *object);
