#pragma once

/* What customers may use: tables entitlement_heads and entitlement_snapshots, and the counters that
 * checks read. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/status.h"
#include "domain/entitlement.h"

struct db;
struct tx;

/* One customer, read in one snapshot. Memory is of the arena. */
struct entitlement_row {
    const char *feature_key;
    struct entitlement entitlement;
    enum unreachable_policy unreachable;
};

struct customer_entitlements {
    struct id customer_id;
    int64_t customer_no;
    const char *external_id;
    int64_t state_version;
    struct entitlement_customer customer;
    size_t count;
    struct entitlement_row *rows;
};

/* By our id, or by the merchant's when customer_id is NULL. Fails with CUSTOMER_NOT_FOUND. */
struct status entitlement_store_load(
    struct ctx *cx,
    struct db *db,
    const struct id *customer_id,
    const char *external_id,
    struct customer_entitlements *ret_loaded) MUST_CHECK;

/* Counter of one window; zeros when nothing was counted. */
struct status entitlement_store_usage(
    struct ctx *cx,
    struct db *db,
    int64_t customer_no,
    const struct entitlement *entitlement,
    const struct window *window,
    struct entitlement_usage *ret_usage) MUST_CHECK;

/* Everything that gives the customer something now, ordered as entitlement_merge() wants it, and
 * the reason for what nothing covers. Takes the row lock of the customer's head first, so that two
 * rebuilds of one customer follow each other. */
struct status entitlement_store_sources(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    struct entitlement **ret_sources,
    size_t *ret_count,
    struct entitlement_customer *ret_customer) MUST_CHECK;

/* Replaces the customer's rows and raises the state version. */
struct status entitlement_store_replace(
    struct ctx *cx,
    struct tx *tx,
    const struct id *customer_id,
    const struct entitlement_customer *customer,
    const struct entitlement *rows,
    size_t count,
    int64_t *ret_state_version) MUST_CHECK;

/* Customers whose access was due to change by now (end of grace, of a grant), for the job that
 * rebuilds them; over all organisations. */
struct expired_access {
    int64_t org_id;
    struct id customer_id;
};
struct status entitlement_store_expired(
    struct ctx *cx,
    struct db *db,
    size_t max,
    struct expired_access *ret_expired,
    size_t *ret_count) MUST_CHECK;
