#pragma once

/* The server put together: settings, database, caches, feed, jobs and doors, started and stopped in
 * order. */

#include "base/ctx.h"
#include "base/status.h"

struct db;
struct services;
struct settings;

/* A database as the settings say. Fails with FIELD_INVALID (no URL), DATABASE_UNAVAILABLE. */
struct status app_database(
    struct ctx *cx, const struct settings *settings, const char *application, struct db **ret_db)
    MUST_CHECK;

/* Services without threads and doors, for the verbs of the command line. */
struct status app_services(
    struct ctx *cx, const struct settings *settings, struct db *db, struct services **ret_services)
    MUST_CHECK;
void app_services_free(struct services *services);

/* Runs until SIGTERM or SIGINT; SIGHUP reads the certificates again. */
struct status app_serve(struct ctx *cx, const struct settings *settings) MUST_CHECK;
