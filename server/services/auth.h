#pragma once

/* Who is calling, and whether they may: the first thing that happens to a call. A key that was seen
 * lately costs one SHA-256 and one look-up (auth_cache.h); its letters and checksum are looked at
 * before the database is asked about one that was not. Thread-safe. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct ctx;
struct services;

/* Fills cx->caller from the metadata value authorization ("Bearer SECRET", "" = absent) and checks
 * that it holds scope: one bit of enum scope, SCOPE_BOOTSTRAP, or 0 (any valid key).
 *
 * Fails with API_KEY_MISSING, API_KEY_INVALID, API_KEY_REVOKED, API_KEY_EXPIRED,
 * BOOTSTRAP_TOKEN_INVALID, SCOPE_MISSING; WOULD_BLOCK when the database must be asked and cx may
 * not; DATABASE_UNAVAILABLE when it is away and the key was not seen within max_staleness_ms. */
struct status
auth_authorize(struct ctx *cx, struct services *services, uint64_t scope, const char *authorization)
    MUST_CHECK;

/* Job: writes when keys were last used, exact to about a minute. */
struct status auth_write_last_used(struct ctx *cx, struct services *services) MUST_CHECK;

/* For the tail of the event log: EVENT_API_KEY_CHANGED with this payload has come. Drops the key
 * that it names, all of them when it cannot be read. */
void auth_key_changed(struct services *services, const char *payload);
