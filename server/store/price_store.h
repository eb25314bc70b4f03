#pragma once

/* Prices in the database, one row each. The tenant is cx->caller.org_id; memory is of the arena of
 * cx. Reads go into tx, or into a transaction of their own when tx is NULL. Whoever writes holds
 * the lock of the plan (plan_store_lock()). Thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/status.h"
#include "domain/catalog_state.h"

struct ctx;
struct db;
struct params;
struct plan_version;
struct price;
struct tx;

struct status
price_store_insert(struct ctx *cx, struct tx *tx, const struct price *price) MUST_CHECK;

/* Fails with PRICE_NOT_FOUND. */
struct status price_store_load(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct id *price_id,
    struct price *ret_price) MUST_CHECK;

/* Everything but plan, version and creation. */
struct status
price_store_update(struct ctx *cx, struct tx *tx, const struct price *price) MUST_CHECK;

struct status
price_store_delete(struct ctx *cx, struct tx *tx, const struct id *price_id) MUST_CHECK;

/* Fails with PRICE_EXISTS when the version has another live price with the key of this one, or for
 * its interval, currency and meter. */
struct status
price_store_check_unique(struct ctx *cx, struct tx *tx, const struct price *price) MUST_CHECK;

/* Live ones of a version. */
struct status price_store_count(
    struct ctx *cx, struct tx *tx, const struct id *plan_id, int32_t number, int64_t *ret_count)
    MUST_CHECK;

struct price_filter {
    const struct id *plan_id; /* NULL: any */
    int32_t plan_version;     /* 0: any */
    const char *currency;     /* "": any */
    enum catalog_state state;
    bool published_only; /* leave those of drafts out */
};

struct price_position {
    int64_t created_us;
    struct id price_id;
};

/* Newest first, those before the position (price_id zero: from the newest). */
struct status price_store_list(
    struct ctx *cx,
    struct db *db,
    const struct price_filter *filter,
    const struct price_position *before,
    int32_t max,
    struct price **ret_prices,
    size_t *ret_count) MUST_CHECK;

/* Copies the live prices of one version into another one of the plan, under new ids. */
struct status price_store_copy(
    struct ctx *cx, struct tx *tx, const struct price *prices, size_t count, int32_t to_version)
    MUST_CHECK;

/* The price has been made at the payment side. */
struct status price_store_mirrored(
    struct ctx *cx, struct tx *tx, const struct id *price_id, const char *stripe_price_id)
    MUST_CHECK;

/* For store/plan_version_store.c: the prices of the versions whose plan ids and numbers are the
 * second and third parameter, in that order. */
struct status price_store_fill(
    struct ctx *cx,
    struct db *db,
    struct tx *tx,
    const struct params *versions_params,
    struct plan_version *versions,
    size_t count) MUST_CHECK;
