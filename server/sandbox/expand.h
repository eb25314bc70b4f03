#pragma once

/* What "expand[]" asks for. A path is checked against what each kind of object can show before the
 * handler runs; a path that leads nowhere is a 400. */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "sandbox/object.h"

struct call;

#define EXPAND_PATHS_MAX 20
#define EXPAND_DEPTH_MAX 4

struct expand {
    const char *paths[EXPAND_PATHS_MAX];
    size_t count;
};

/* Reads expand[*] of the call; paths begin at an object of the kind, or at "data" of a list. */
bool expand_read(struct call *call, enum object_kind kind, bool list) MUST_CHECK;

/* Whether the place is asked for, or lies on the way to one that is. */
bool expand_wants(const struct expand *expand, const char *path);
