#pragma once

/* What a customer may use: checks from memory, and the rebuilding of what they are made from. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/entitlement.h"

struct services;
struct tx;

/* The numbers are those of billingos.v1.AnswerOrigin. */
enum answer_origin {
    ORIGIN_DATABASE = 1,
    ORIGIN_CACHE = 2
};

/* A customer by our id, or by the merchant's when customer_id is NULL. */
struct customer_ref {
    const struct id *customer_id;
    const char *external_id;
};

struct entitlement_question {
    struct customer_ref customer;
    const char *feature_key;
    int64_t quantity;         /* 0 is read as one */
    int64_t max_staleness_us; /* INT64_MAX: any age is fine */
};

struct freshness {
    int64_t state_version;
    int64_t as_of_us;
    bool stale;
    enum answer_origin origin;
};

struct entitlement_answer {
    struct id customer_id; /* zero when there is no such customer */
    const char *feature_key;
    bool known; /* the feature exists and something covers it: `entitlement` is set */
    struct entitlement entitlement; /* config in the arena */
    struct entitlement_decision decision;
    struct freshness freshness;
    enum unreachable_policy unreachable; /* of the feature */
};

/* Our id of a customer. Fails with CUSTOMER_NOT_FOUND. */
struct status entitlements_resolve(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct id *ret_customer_id) MUST_CHECK;

/* Whether memory follows the event log now, and up to when it is complete. */
bool entitlements_followed(const struct services *services, int64_t *ret_as_of_us);

/* How many customers are in memory. */
size_t entitlements_cached(const struct services *services);

/* Answers from memory when it can; on the polling thread it fails with WOULD_BLOCK when it would
 * have to read the database. A denial is an answer. Fails with STATE_TOO_STALE,
 * DATABASE_UNAVAILABLE. */
struct status entitlements_check(
    struct ctx *cx,
    struct services *services,
    const struct entitlement_question *question,
    struct entitlement_answer *ret_answer) MUST_CHECK;

struct entitlement_listing {
    struct id customer_id;
    struct freshness freshness;
    struct entitlement_answer *answers; /* in the order of the keys */
    size_t count;
};

/* Every feature that something covers, at one state version. Fails with CUSTOMER_NOT_FOUND. */
struct status entitlements_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    int64_t max_staleness_us,
    struct entitlement_listing *ret_listing) MUST_CHECK;

/* Merges anew what the customer has, in the transaction of the change that caused it, and queues
 * EVENT_ENTITLEMENTS_CHANGED. */
struct status entitlements_rebuild(
    struct ctx *cx, struct services *services, struct tx *tx, const struct id *customer_id)
    MUST_CHECK;
