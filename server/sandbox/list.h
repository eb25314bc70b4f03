#pragma once

/* Lists of one kind of object: newest first, with both cursors and has_more. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "sandbox/object.h"

struct call;

/* Whether the object belongs to what the call asks for. */
typedef bool (*list_match_fn)(const struct call *call, const struct object *object);

/* Answers with the page that limit, starting_after and ending_before ask for. match NULL: all.
 * Tombstones are left out. */
bool list_reply(struct call *call, enum object_kind kind, list_match_fn match);

/* Whether a time passes the filter: "created" or "created[gte]" and the like. 0 never passes one.
 */
bool list_time_matches(const struct call *call, const char *param, int64_t time_s);

/* Whether the parameter is absent, or is this text, or (for a reference) this object's id. */
bool list_text_matches(const struct call *call, const char *param, const char *text);
bool list_ref_matches(const struct call *call, const char *param, const void *object);
bool list_bool_matches(const struct call *call, const char *param, bool value);
