#pragma once

/* Publishing: a draft becomes a product and prices at the payment side, and is frozen (see
 * services/intents.h for the three steps).
 *
 *     claim     DRAFT -> PUBLISHING: neither changed nor sold; the answer is decided and kept
 *     drive     meters, product, prices, each under a key of its own
 *     settle    PUBLISHING -> PUBLISHED, with the ids of the payment side; or back to DRAFT
 *
 * What a try that is given up leaves at the payment side (a product without a subscriber) costs
 * nobody anything, so it is left there. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "base/str.h"
#include "services/intents.h"

struct ctx;
struct id;
struct keyed;
struct plan;
struct plan_version;
struct services;
struct tx;

#define CATALOG_PUBLISH_METHOD "billingos.v1.CatalogService/PublishPlan"

/* The bytes of the answer, in the arena of cx. Given by handlers, which alone know the messages. */
typedef struct status (*catalog_publish_pack)(
    struct ctx *cx,
    const struct plan *plan,
    const struct plan_version *version,
    struct str *ret_answer);

/* number 0: the draft there is. Fails with PLAN_NOT_FOUND, PLAN_ARCHIVED, PLAN_VERSION_NOT_FOUND,
 * PLAN_VERSION_FROZEN, PLAN_HAS_NO_PRICE, FEATURE_ARCHIVED, FIELD_INVALID,
 * PAYMENT_ACCOUNT_NOT_CONNECTED when it asks for money, and with the failures of intents_run(). */
struct status catalog_publish(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct id *plan_id,
    int32_t number,
    catalog_publish_pack pack,
    struct str *ret_answer) MUST_CHECK;

/* Locks the plan; only one publishing of it at a time, since two would make two products. Fails
 * with PLAN_NOT_FOUND, REQUEST_IN_PROGRESS. */
struct status catalog_publish_alone(
    struct ctx *cx,
    struct tx *tx,
    const struct intent *intent,
    const struct id *plan_id,
    struct plan *ret_plan) MUST_CHECK;

/* For the resolver and catalog_mirror() too. */
struct status catalog_publish_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result) MUST_CHECK;
