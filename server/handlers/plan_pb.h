#pragma once

/* Plans, their versions and what they give, between their messages and the domain. Memory is of the
 * arena of cx. */

#include <billingos/v1/catalog_service.pb-c.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/plan.h"

struct ctx;

Billingos__V1__Plan *plan_pb(struct ctx *cx, const struct plan *plan);

/* NULL for number 0, which is no version. */
Billingos__V1__PlanVersion *plan_pb_version(struct ctx *cx, const struct plan_version *version);

/* What the merchant gives; the field "plan". Fails with FIELD_INVALID. */
struct status
plan_pb_read(struct ctx *cx, const Billingos__V1__Plan *message, struct plan *ret_plan) MUST_CHECK;

/* path: "feature", "features[2]". Fails with FIELD_INVALID; what is not supported yet is refused.
 */
struct status plan_pb_read_feature(
    struct ctx *cx,
    const char *path,
    const Billingos__V1__PlanFeature *message,
    struct plan_feature *ret_feature) MUST_CHECK;
