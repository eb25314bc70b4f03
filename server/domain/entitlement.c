#include "domain/entitlement.h"

#include <stddef.h>
#include <string.h>

#define GUARD_BAND_MIN 10
#define GUARD_BAND_DIVISOR 100

static const struct {
    enum decision_reason reason;
    const char *name;
} reasons[] = {
    {DECISION_GRANTED, "GRANTED"},
    {DECISION_GRANTED_OVERAGE, "GRANTED_OVERAGE"},
    {DECISION_GRANTED_GRACE, "GRACE"},
    {DECISION_CUSTOMER_NOT_FOUND, "CUSTOMER_NOT_FOUND"},
    {DECISION_CUSTOMER_ARCHIVED, "CUSTOMER_ARCHIVED"},
    {DECISION_FEATURE_NOT_FOUND, "FEATURE_NOT_FOUND"},
    {DECISION_FEATURE_TYPE_MISMATCH, "FEATURE_TYPE_MISMATCH"},
    {DECISION_NO_ACTIVE_SUBSCRIPTION, "NO_ACTIVE_SUBSCRIPTION"},
    {DECISION_FEATURE_NOT_IN_PLAN, "FEATURE_NOT_IN_PLAN"},
    {DECISION_USAGE_LIMIT_REACHED, "USAGE_LIMIT_REACHED"},
    {DECISION_VALUE_NOT_PERMITTED, "VALUE_NOT_PERMITTED"},
    {DECISION_GRANT_EXPIRED, "GRANT_EXPIRED"},
    {DECISION_NOT_YET_ACTIVE, "NOT_YET_ACTIVE"},
    {DECISION_SUBSCRIPTION_PAUSED, "SUBSCRIPTION_PAUSED"},
    {DECISION_PAYMENT_INCOMPLETE, "PAYMENT_INCOMPLETE"},
    {DECISION_PAYMENT_OVERDUE, "PAYMENT_OVERDUE"},
    {DECISION_REVOKED, "REVOKED"},
    {DECISION_BLOCKED, "BLOCKED"},
};

static int64_t subtract_clamped(int64_t a, int64_t b)
{
    int64_t result = 0;

    return __builtin_sub_overflow(a, b, &result) || result < 0 ? 0 : result;
}

static int64_t add_clamped(int64_t a, int64_t b)
{
    int64_t result = 0;

    return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

/* Access that ends at a known time: grace turns into overdue, a trial or a grant into expired. */
static enum decision_reason access_at(const struct entitlement *entitlement, int64_t now_us)
{
    if (entitlement->access_until_us == 0 || now_us < entitlement->access_until_us) {
        return entitlement->access;
    }
    switch (entitlement->access) {
    case DECISION_GRANTED_GRACE:
        return DECISION_PAYMENT_OVERDUE;
    case DECISION_GRANTED:
        return DECISION_GRANT_EXPIRED;
    case DECISION_NOT_YET_ACTIVE:
        return DECISION_GRANTED;
    default:
        return entitlement->access;
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

static void
evaluate_balance(const struct entitlement *entitlement, struct entitlement_decision *decision)
{
    decision->has_balance = true;
    if (!entitlement->unlimited) {
        decision->remaining =
            subtract_clamped(entitlement->limit, add_clamped(decision->used, decision->reserved));
        decision->overage = subtract_clamped(decision->used, entitlement->limit);
    }
}

/* The most that may be used in one window. */
static int64_t ceiling_of(const struct entitlement *entitlement)
{
    if (entitlement->overage_policy == OVERAGE_DENY) {
        return entitlement->limit;
    }
    return entitlement->overage_max == 0
               ? INT64_MAX
               : add_clamped(entitlement->limit, entitlement->overage_max);
}

/* False when taken and quantity together are more than most; their sum may be past 64 bits, so it
 * is not made. */
static bool fits(int64_t taken, int64_t quantity, int64_t most)
{
    return taken <= most && quantity <= most - taken;
}

static void evaluate_limit(
    const struct entitlement *entitlement, int64_t quantity, struct entitlement_decision *decision)
{
    const int64_t taken = add_clamped(decision->used, decision->reserved);
    const int64_t ceiling = ceiling_of(entitlement);

    if (entitlement->unlimited || fits(taken, quantity, entitlement->limit)) {
        return;
    }
    if (entitlement->overage_policy != OVERAGE_DENY &&
        (ceiling == INT64_MAX || fits(taken, quantity, ceiling))) {
        decision->reason = DECISION_GRANTED_OVERAGE;
        return;
    }
    decision->allowed = false;
    decision->reason = DECISION_USAGE_LIMIT_REACHED;
    if (decision->window.end_us != INT64_MAX && quantity <= ceiling) {
        decision->retry_us = decision->window.end_us;
    }
}

static void evaluate_covered(
    const struct entitlement *entitlement,
    int64_t quantity,
    int64_t now_us,
    struct entitlement_decision *decision)
{
    decision->reason = access_at(entitlement, now_us);
    decision->allowed =
        decision->reason == DECISION_GRANTED || decision->reason == DECISION_GRANTED_GRACE;
    if (entitlement->access_until_us > now_us) {
        decision->valid_until_us = entitlement->access_until_us;
    }
    if (decision->reason == DECISION_NOT_YET_ACTIVE) {
        decision->retry_us = decision->valid_until_us;
    }
    if (entitlement->kind == FEATURE_METERED || entitlement->kind == FEATURE_CREDITS) {
        evaluate_balance(entitlement, decision);
        decision->window = period_window(&entitlement->window, now_us);
        if (decision->window.end_us != INT64_MAX) {
            decision->valid_until_us = earlier(decision->valid_until_us, decision->window.end_us);
        }
        if (decision->allowed) {
            evaluate_limit(entitlement, quantity == 0 ? 1 : quantity, decision);
        }
    }
}

/* What stands against the question or the customer as a whole does not end with a window. */
static void overrule(struct entitlement_decision *decision, enum decision_reason reason)
{
    decision->allowed = false;
    decision->reason = reason;
    decision->retry_us = 0;
}

static bool type_fits(const struct entitlement *entitlement, int64_t quantity)
{
    return entitlement == NULL || quantity <= 1 || entitlement->kind == FEATURE_METERED ||
           entitlement->kind == FEATURE_CREDITS;
}

struct entitlement_decision entitlement_evaluate(
    const struct entitlement_customer *customer,
    const struct entitlement *entitlement,
    struct entitlement_usage usage,
    int64_t quantity,
    int64_t now_us)
{
    struct entitlement_decision decision = {
        .reason = customer->uncovered, .used = usage.used, .reserved = usage.reserved};

    if (entitlement != NULL) {
        evaluate_covered(entitlement, quantity, now_us, &decision);
    }
    if (!type_fits(entitlement, quantity)) {
        overrule(&decision, DECISION_FEATURE_TYPE_MISMATCH);
    } else if (customer->blocked) {
        overrule(&decision, DECISION_BLOCKED);
    } else if (customer->archived) {
        overrule(&decision, DECISION_CUSTOMER_ARCHIVED);
    }
    return decision;
}

bool entitlement_near_limit(const struct entitlement *entitlement, int64_t used, int64_t quantity)
{
    int64_t band = entitlement->limit / GUARD_BAND_DIVISOR;
    int64_t reached = 0;

    if (entitlement->unlimited) {
        return false;
    }
    band = band < GUARD_BAND_MIN ? GUARD_BAND_MIN : band;
    return __builtin_add_overflow(used, quantity, &reached) ||
           __builtin_add_overflow(reached, band, &reached) || reached > entitlement->limit;
}

const char *decision_reason_name(enum decision_reason reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].reason == reason) {
            return reasons[i].name;
        }
    }
    return "";
}

bool decision_reason_parse(const char *name, enum decision_reason *ret_reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reasons[i].name, name) == 0) {
            *ret_reason = reasons[i].reason;
            return true;
        }
    }
    return false;
}
