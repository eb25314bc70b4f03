#pragma once

/* The keys of the caller's live features and meters, in the arena. */

#include "base/ctx.h"
#include "base/status.h"

struct catalog_keys;
struct db;

struct status
catalog_keys_store_load(struct ctx *cx, struct db *db, struct catalog_keys *ret_keys) MUST_CHECK;
