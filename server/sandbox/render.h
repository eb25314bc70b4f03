#pragma once

/* Objects as JSON. A render knows where in the answer it stands, so that a reference becomes an id
 * or, where "expand" asks for it, the whole object. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/json.h"
#include "sandbox/object.h"

struct buf;
struct expand;
struct sim;

#define RENDER_PATH_MAX 256

struct render {
    struct json_writer writer;
    struct sim *sim;
    const struct expand *expand; /* NULL: nothing is expanded */
    char path[RENDER_PATH_MAX];
    size_t path_len;
};

void render_begin(
    struct render *render, struct sim *sim, struct buf *buf, const struct expand *expand);

/* The whole object; a tombstone as {"id","object","deleted":true}. name NULL at the root and in
 * arrays. */
void render_object(struct render *render, const char *name, const void *thing);

/* The id, or the whole object when expanded; null for NULL. */
void render_ref(struct render *render, const char *name, const void *thing);

/* Whether "expand" asks for the member here; for what is absent unless asked for. */
bool render_wants(const struct render *render, const char *name);

/* Goes down into a member that is no object of its own, and back up. */
void render_enter(struct render *render, const char *name);
void render_leave(struct render *render);

/* {"object":"list","data":[ ... ],"has_more":...,"url":...}; the elements are put in between. */
void render_list_open(struct render *render, const char *name);
void render_list_close(struct render *render, bool has_more, const char *url);

/* Members named in one text, separated by blanks. */
void render_nulls(struct render *render, const char *names);
void render_zeros(struct render *render, const char *names);
void render_empty_arrays(struct render *render, const char *names);

void render_text_if(
    struct render *render, const char *name, const char *text); /* absent when NULL */
void render_i64_or_null(struct render *render, const char *name, int64_t value); /* null when 0 */
void render_texts(struct render *render, const char *name, const char *names); /* blank-separated */
void render_no_address(struct render *render, const char *name);

/* The name that JSON gives to a kind, "billing.meter". */
const char *render_type(enum object_kind kind);
