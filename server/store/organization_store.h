#pragma once

/* Organisations in the database: two rows each, the live one with an even number n, the test one
 * with n + 1, alike in everything but that. Thread-safe. Texts are in the arena of cx. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/organization.h"

struct ctx;
struct db;
struct id;
struct tx;

/* A number n that no organisation has; the live side will be n, the test side n + 1. */
struct status
organization_store_reserve(struct ctx *cx, struct db *db, int64_t *ret_live_number) MUST_CHECK;

/* Inserts both rows, org_id being the live number, and the heads of their event logs. Fails with
 * ORGANIZATION_EXISTS when the slug is taken; a violation of organizations_organization_id_live_key
 * (the same organization_id) is passed up as it is. */
struct status organization_store_insert(
    struct ctx *cx, struct tx *tx, const struct organization *organization) MUST_CHECK;

/* That of cx->caller.org_id. Fails with ORGANIZATION_NOT_FOUND. */
struct status organization_store_load(
    struct ctx *cx, struct db *db, struct organization *ret_organization) MUST_CHECK;

/* The live row of the caller's organisation, locked until the end of the transaction: whatever
 * counts or compares things of the organisation as a whole does so one after the other. Foreign
 * keys to the row do not wait for it. */
struct status organization_store_lock(
    struct ctx *cx, struct tx *tx, struct organization *ret_organization) MUST_CHECK;

/* Writes the settings to both rows and raises their version; the caller holds the lock. */
struct status organization_store_update(
    struct ctx *cx, struct tx *tx, const struct organization *organization) MUST_CHECK;

/* By its public id in one mode, for those who do not come with a key. ORGANIZATION_NOT_FOUND. */
struct status organization_store_find(
    struct ctx *cx,
    struct db *db,
    const struct id *organization_id,
    bool live,
    struct organization *ret_organization) MUST_CHECK;
struct status organization_store_find_slug(
    struct ctx *cx,
    struct db *db,
    const char *slug,
    bool live,
    struct organization *ret_organization) MUST_CHECK;

struct status organization_store_slug_taken(
    struct ctx *cx, struct tx *tx, const char *slug, bool *ret_taken) MUST_CHECK;

/* Whether the database knows the name of the zone. */
struct status organization_store_zone_known(
    struct ctx *cx, struct tx *tx, const char *time_zone, bool *ret_known) MUST_CHECK;
