#pragma once

/* Whether a customer may use a feature: the decision, pure, on inputs that were merged beforehand.
 * The order of reasons is that of the API: customer and feature exist, type fits -> blocked,
 * revoked, archived -> payment incomplete, paused, overdue, not yet active -> nothing active, not
 * in plan, expired -> value -> limit. */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "domain/period.h"

/* The numbers are those of billingos.v1.DecisionReason. */
enum decision_reason {
    DECISION_GRANTED = 1,
    DECISION_GRANTED_OVERAGE = 2,
    DECISION_GRANTED_GRACE = 3,
    DECISION_CUSTOMER_NOT_FOUND = 20,
    DECISION_CUSTOMER_ARCHIVED = 21,
    DECISION_FEATURE_NOT_FOUND = 23,
    DECISION_FEATURE_TYPE_MISMATCH = 24,
    DECISION_NO_ACTIVE_SUBSCRIPTION = 30,
    DECISION_FEATURE_NOT_IN_PLAN = 31,
    DECISION_USAGE_LIMIT_REACHED = 32,
    DECISION_VALUE_NOT_PERMITTED = 35,
    DECISION_GRANT_EXPIRED = 40,
    DECISION_NOT_YET_ACTIVE = 41,
    DECISION_SUBSCRIPTION_PAUSED = 42,
    DECISION_PAYMENT_INCOMPLETE = 43,
    DECISION_PAYMENT_OVERDUE = 44,
    DECISION_REVOKED = 50,
    DECISION_BLOCKED = 51,
};

enum feature_kind {
    FEATURE_BOOLEAN,
    FEATURE_CONFIG,
    FEATURE_METERED,
    FEATURE_CREDITS
};

/* The numbers are those of billingos.v1.OveragePolicy. */
enum overage_policy {
    OVERAGE_DENY = 1,
    OVERAGE_ALLOW = 2,
    OVERAGE_BILL = 3
};

/* What SDKs answer when no server can be reached. The numbers are those of
 * billingos.v1.UnreachablePolicy. */
enum unreachable_policy {
    UNREACHABLE_UNKNOWN = 0, /* there is no such feature; read as DENY */
    UNREACHABLE_DENY = 1,
    UNREACHABLE_ALLOW = 2
};

/* The numbers are those of billingos.v1.ProvenanceKind. */
enum provenance_kind {
    PROVENANCE_NONE = 0,
    PROVENANCE_PLAN = 1,
    PROVENANCE_ADDON = 2,
    PROVENANCE_TRIAL = 3,
    PROVENANCE_GRANT = 4,
    PROVENANCE_OVERRIDE = 5,
    PROVENANCE_CREDIT_POOL = 6,
    PROVENANCE_BLOCK = 7,
};

/* One row of entitlement_snapshots: what one customer has of one feature. */
struct entitlement {
    struct id feature_id;
    enum feature_kind kind;
    int32_t meter_no;            /* METERED: where it is counted; else 0 */
    enum decision_reason access; /* DECISION_GRANTED, DECISION_GRANTED_GRACE, or why not */
    int64_t access_until_us;     /* when access is known to change; 0: not known to */
    bool unlimited;
    int64_t limit;
    struct window_rule window;
    enum overage_policy overage_policy;
    int64_t overage_max; /* 0: no cap */
    const char *config;  /* CONFIG: JSON; "" otherwise. Borrowed */
    enum provenance_kind provenance;
    struct id subscription_id;
    struct id plan_id;
    int32_t plan_version;
    struct id grant_id;
};

/* What is known about the customer beside single features. */
struct entitlement_customer {
    bool archived;
    bool blocked;
    enum decision_reason uncovered; /* why a feature that nothing covers is denied */
    struct id subscription_id;      /* the one that `uncovered` is about; zero when there is none */
};

struct entitlement_usage {
    int64_t used;
    int64_t reserved;
};

struct entitlement_decision {
    bool allowed;
    enum decision_reason reason;
    bool has_balance;
    int64_t used;
    int64_t reserved;
    int64_t remaining;
    int64_t overage;
    struct window window;   /* METERED: the window that was counted */
    int64_t valid_until_us; /* next thing known to change the answer; 0: nothing is known */
    int64_t retry_us;       /* denials: earliest time without a purchase; 0: not known */
};

/* entitlement NULL: the feature exists and nothing covers it. usage is of the window that contains
 * now_us. quantity: how much is wanted; 0 is read as one. */
struct entitlement_decision entitlement_evaluate(
    const struct entitlement_customer *customer,
    const struct entitlement *entitlement,
    struct entitlement_usage usage,
    int64_t quantity,
    int64_t now_us);

/* How far usage may be from the limit for a cached counter to be trusted: closer than this, or past
 * it, the counter itself is read. One hundredth of the limit, at least 10, plus the quantity. */
bool entitlement_near_limit(const struct entitlement *entitlement, int64_t used, int64_t quantity);

const char *decision_reason_name(enum decision_reason reason);
bool decision_reason_parse(const char *name, enum decision_reason *ret_reason);
