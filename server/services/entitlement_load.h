#pragma once

/* From the database into the caches: what a check needs when memory does not have it. */

#include "base/ctx.h"
#include "base/status.h"
#include "services/entitlements.h"

struct catalog_index;
struct entitlement_state;

/* A reference to what memory has of the customer, NULL when it has nothing. */
struct entitlement_state *entitlement_load_cached(
    const struct ctx *cx, struct services *services, const struct customer_ref *customer);

/* A reference each; put back with entitlement_state_put() and catalog_index_put(). May block.
 * CUSTOMER_NOT_FOUND; WOULD_BLOCK, DATABASE_UNAVAILABLE. */
struct status entitlement_load_state(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct entitlement_state **ret_state) MUST_CHECK;

/* From memory, else from the database. */
struct status entitlement_load_catalog(
    struct ctx *cx, struct services *services, struct catalog_index **ret_index) MUST_CHECK;
