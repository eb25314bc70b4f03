#pragma once

/* Every path that there is, and every path of the provider that there is not. */

#include <stdbool.h>

#include "sandbox/call.h"

struct arena;

/* The endpoint for a method and a path, NULL when there is none. The ids in the path, copied into
 * the arena, go to ids[CALL_IDS_MAX]. */
const struct endpoint *
route_table_find(struct arena *arena, const char *method, const char *path, const char **ids);

/* The provider has that path, the simulator does not. */
bool route_table_is_not_simulated(struct arena *arena, const char *path);

/* Of that path only other methods are simulated, though the provider may have this one. */
bool route_table_lacks_method(struct arena *arena, const char *method, const char *path);
