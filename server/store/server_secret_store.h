#pragma once

/* What all servers of one database share and nobody configured: table server_secrets. */

#include "base/ctx.h"
#include "base/status.h"

struct db;

/* "" when there is none. In the arena. */
struct status server_secret_store_get(
    struct ctx *cx, struct db *db, const char *name, const char **ret_value) MUST_CHECK;

/* Stores value unless another server was first; returns what is stored. */
struct status server_secret_store_ensure(
    struct ctx *cx, struct db *db, const char *name, const char *value, const char **ret_value)
    MUST_CHECK;

/* Replaces. */
struct status server_secret_store_set(
    struct ctx *cx, struct db *db, const char *name, const char *value) MUST_CHECK;
