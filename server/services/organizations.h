#pragma once

/* Organisations: made by whoever runs the server, changed by themselves. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/api_key.h"
#include "domain/member.h"
#include "domain/organization.h"

struct ctx;
struct services;
struct tx;

struct organization_draft {
    /* organization_id and org_id from organizations_reserve(); slug "" = made from the name */
    struct organization organization;
    const char *owner_email;
    const char *owner_name;
};

#define FIRST_KEYS 4 /* a secret and a publishable one for each mode */

struct organization_founding {
    struct organization organization; /* the live side */
    struct member owner;
    struct issued_key keys[FIRST_KEYS];
};

/* Finds out under which id and number an organisation is, or will be, made: those of the first call
 * with this request_id, or new ones ("" = always new). cx->caller becomes the live side of it, so
 * that the call can be claimed there; nothing is written. */
struct status organizations_reserve(
    struct ctx *cx,
    struct services *services,
    const char *request_id,
    struct organization *ret_place) MUST_CHECK;

/* Both sides, their first keys and the first owner. Fails with FIELD_INVALID, ORGANIZATION_EXISTS,
 * CURRENCY_UNKNOWN, TIME_ZONE_UNKNOWN. When another call made the same one in the meantime,
 * organizations_raced() says so of the failure, and reserving again finds it. */
struct status organizations_create(
    struct ctx *cx,
    struct tx *tx,
    const struct organization_draft *draft,
    struct organization_founding *ret_founding) MUST_CHECK;
bool organizations_raced(struct status status);

/* That of the caller. */
struct status organizations_get(
    struct ctx *cx, struct services *services, struct organization *ret_organization) MUST_CHECK;

enum organization_field {
    ORGANIZATION_NAME = 1 << 0,
    ORGANIZATION_CURRENCY = 1 << 1,
    ORGANIZATION_TIME_ZONE = 1 << 2,
    ORGANIZATION_COUNTRY = 1 << 3,
    ORGANIZATION_SUPPORT_EMAIL = 1 << 4,
    ORGANIZATION_GRACE = 1 << 5,
    ORGANIZATION_STALENESS = 1 << 6,
    ORGANIZATION_ORIGINS = 1 << 7,
    ORGANIZATION_METADATA = 1 << 8,
};

struct organization_change {
    uint32_t fields; /* which of the values count */
    struct organization values;
    const char *etag; /* "" = not checked */
};

/* Both sides at once. Fails with FIELD_INVALID, ETAG_MISMATCH, CURRENCY_UNKNOWN, TIME_ZONE_UNKNOWN.
 */
struct status organizations_update(
    struct ctx *cx,
    struct tx *tx,
    const struct organization_change *change,
    struct organization *ret_organization) MUST_CHECK;

/* For the command line: lets cx act for one side of an organisation, named by "org_..." or its
 * slug, with all scopes. actor is borrowed. Fails with ORGANIZATION_NOT_FOUND. */
struct status organizations_enter(
    struct ctx *cx, struct services *services, const char *name, bool live, const char *actor)
    MUST_CHECK;
