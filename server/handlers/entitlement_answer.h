#pragma once

/* The one answer type of everything that decides: domain words to billingos.v1.EntitlementAnswer.
 */

#include <billingos/v1/entitlement_service.pb-c.h>

#include "base/ctx.h"
#include "services/entitlements.h"

/* query may be NULL: then it is made from the answer. */
Billingos__V1__EntitlementAnswer *entitlement_answer_pb(
    struct ctx *cx,
    const struct entitlement_answer *answer,
    const Billingos__V1__EntitlementQuery *query);

Billingos__V1__Freshness *
entitlement_freshness_pb(struct ctx *cx, const struct freshness *freshness, int64_t valid_until_us);

Billingos__V1__Balance *
entitlement_balance_pb(struct ctx *cx, const struct entitlement_answer *answer);
